"""Checkpoints: written under another name and renamed when complete, or not there at all.

A checkpoint is a folder ``checkpoints/step_000100`` with

- ``model/``     a Hugging Face model folder, which ``rlcs export`` copies
- ``learner/``   weights and optimiser as DeepSpeed writes them
- ``trainer.pkl`` everything else: :class:`TrainerState`
- ``format.json`` the number of the format

The name appears only by a rename, after everything in it was written and flushed.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlcs.data import Renderer
from rlcs.errors import ResumeError, RunFolderError
from rlcs.files import PARTIAL, remove, write_whole
from rlcs.learner.actors import Learner
from rlcs.run.batch import Batch
from rlcs.types import RolloutGroup

FORMAT = 3
"""Raised where what was written before can no longer be read: 3, because classes moved."""
STATE_NAME = "trainer.pkl"
FORMAT_NAME = "format.json"
"""Says in which format a checkpoint is, before anything of it is unpickled."""


@dataclass(kw_only=True)
class TrainerState:
    """Everything of a run that is not in the learner."""

    steps_done: int = 0
    policy_version: int = 0
    curriculum: dict[str, Any] = field(default_factory=dict)
    """The curriculum's own state."""
    carried: list[RolloutGroup] = field(default_factory=list)
    """Valid groups kept for the next step."""
    ahead: list[Batch] = field(default_factory=list)
    """Collected and not yet learned from (overlapped schedule)."""
    lengths: dict[str, Any] = field(default_factory=dict)
    """How long completions were: :class:`~rlcs.rollout.lengths.LengthHistory`'s own state."""
    log_position: dict[str, int] = field(default_factory=dict)
    """Bytes of each log file that belong to the steps done."""
    num_rollouts: int = 0
    num_tokens: int = 0
    seconds: float = 0.0
    """Running time so far, over all sessions."""
    accuracy_before: dict[str, Any] | None = None
    """The evaluation made before the first step."""
    best_accuracy: float | None = None
    best_step: int | None = None


class Checkpoints:
    """The ``checkpoints`` folder of a run."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def save(self, state: TrainerState, learner: Learner, renderer: Renderer) -> Path:
        """Write a complete checkpoint of ``state`` and drop those no longer kept.

        Where the step has one already, its weights are these, and only the rest is replaced.
        """
        final = self.folder / f"step_{state.steps_done:06d}"
        partial = self.folder / f"{final.name}{PARTIAL}"
        written = pickle.dumps(state)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.drop_partial()
        if final.exists():
            write_whole(final / STATE_NAME, written)
        else:
            partial.mkdir()
            learner.save(str(partial.resolve() / "learner"))
            learner.export(str(partial.resolve() / "model"))
            renderer.save(partial / "model")
            (partial / STATE_NAME).write_bytes(written)
            (partial / FORMAT_NAME).write_text(json.dumps({"format": FORMAT}) + "\n")
            _flush(partial)
            os.replace(partial, final)
            _flush(self.folder, deep=False)
        self._prune(state)
        return final

    def drop_partial(self) -> None:
        """Remove what an interrupted save left behind."""
        for left in self.folder.glob(f"*{PARTIAL}"):
            remove(left)

    def latest(self) -> Path | None:
        """The newest complete checkpoint, None without one."""
        complete = self._complete()
        return complete[-1] if complete else None

    def best(self) -> Path | None:
        """The checkpoint with the best held-out accuracy, None where none was measured."""
        note = self.folder / "best.json"
        if not note.exists():
            return None
        path = self.folder / str(json.loads(note.read_text())["checkpoint"])
        return path if path.is_dir() else None

    def _complete(self) -> list[Path]:
        return sorted(
            path for path in self.folder.glob("step_*") if path.is_dir() and path.suffix != PARTIAL
        )

    def _prune(self, state: TrainerState) -> None:
        if state.best_step is not None:
            note = {"checkpoint": f"step_{state.best_step:06d}", "accuracy": state.best_accuracy}
            write_whole(self.folder / "best.json", json.dumps(note))
        best = self.best()
        for path in self._complete()[: -self.keep]:
            if path != best:
                # Renamed first: half a checkpoint must not bear the name of a whole one.
                shutil.rmtree(path.rename(path.with_name(path.name + PARTIAL)))


def read_state(checkpoint: Path) -> TrainerState:
    """Load the state of the trainer that :meth:`Checkpoints.save` wrote.

    Raises:
        ResumeError: it was written in another format, or is damaged.
    """
    _check_format(checkpoint)
    try:
        state: TrainerState = pickle.loads((checkpoint / STATE_NAME).read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise ResumeError(
            f"expected a readable {STATE_NAME} in {checkpoint}, found a damaged one ({error}). "
            "Remove this checkpoint to resume from the one before it."
        ) from error
    return state


def _check_format(checkpoint: Path) -> None:
    path = checkpoint / FORMAT_NAME
    try:
        # Up to format 2 the number stood inside the pickle, whose classes have moved since.
        written = json.loads(path.read_text())["format"] if path.exists() else "2 or older"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeError(
            f"expected the number of the format in {path}, found a damaged file ({error}). "
            "Remove this checkpoint to resume from the one before it."
        ) from error
    if written != FORMAT:
        raise ResumeError(
            f"{checkpoint} was written in format {written}; this version of rlcs reads format "
            f"{FORMAT}. Resume with the version that wrote it, or start a new run from its model: "
            f"rlcs train CONFIG model.path={checkpoint / 'model'} run.name=OTHER."
        )


def find_model(path: str | Path) -> Path:
    """The model folder meant by ``path``: a model folder, a checkpoint, or a run (best, else last).

    Raises:
        RunFolderError: there is none.
    """
    path = Path(path)
    if (path / "config.json").exists():
        return path
    if (path / "model" / "config.json").exists():
        return path / "model"
    checkpoints = Checkpoints(path / "checkpoints", keep=1)
    chosen = checkpoints.best() or checkpoints.latest()
    if chosen is None:
        raise RunFolderError(
            f"expected a model folder, a checkpoint or a run with a checkpoint at {path}, "
            "found none of them."
        )
    return chosen / "model"


def _flush(folder: Path, *, deep: bool = True) -> None:
    """Make what was written survive a power cut before the rename is seen."""
    for path in (folder, *(folder.rglob("*") if deep else ())):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
