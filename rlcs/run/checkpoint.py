"""Checkpoints: written under another name and renamed when complete, or not there at all.

A checkpoint is a folder ``checkpoints/step_000100`` with

- ``model/``     a Hugging Face model folder, if ``run.model_every`` says so
- ``learner/``   weights and optimiser: :mod:`rlcs.learner.state_files`
- ``trainer.npz`` everything else: :class:`~rlcs.run.state.TrainerState`, as plain data
- ``format.json`` the number of the format

The name appears only by a rename, after everything in it was written and flushed.

A run folder may come from somebody else. Reading a checkpoint runs no code and follows no link
out of the run folder; what is no checkpoint is refused, with the one to go on from.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from curricula import DamagedStateError
from curricula.plain import pack, unpack
from rlcs.data import Renderer
from rlcs.errors import ResumeError, RunFolderError, sentence
from rlcs.files import PARTIAL, remove, write_whole
from rlcs.learner.actors import Learner
from rlcs.run.inside import check_inside
from rlcs.run.records import FormError, from_plain, to_plain
from rlcs.run.state import SftState, TrainerState, check_coherent, check_sft

State = TypeVar("State", TrainerState, SftState)

FORMAT = 5
"""Raised where what was written before can no longer be read: 5, as DeepSpeed's files are gone, and
problems say where their rows are."""
STATE_NAME = "trainer.npz"
BEST_NAME = "best.json"
FORMAT_NAME = "format.json"
"""Says in which format a checkpoint is, before anything else of it is read."""
NAME = re.compile(r"step_([0-9]{6,})")
"""Names of checkpoints, with the step after which each was made."""


class Checkpoints:
    """The ``checkpoints`` folder of a run."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def save(
        self,
        state: TrainerState | SftState,
        learner: Learner,
        renderer: Renderer,
        *,
        with_model: bool = True,
    ) -> Path:
        """Write a complete checkpoint of ``state`` and drop those no longer kept.

        Where the step has one already, its weights are these, and only the rest is replaced.
        Without ``with_model`` it has no Hugging Face model folder.
        """
        try:
            return self._save(state, learner, renderer, with_model=with_model)
        except Exception:
            with suppress(OSError):  # half a checkpoint takes room and is of no use
                self.drop_partial()
            raise

    def _save(
        self,
        state: TrainerState | SftState,
        learner: Learner,
        renderer: Renderer,
        *,
        with_model: bool,
    ) -> Path:
        final = self.folder / f"step_{state.steps_done:06d}"
        partial = self.folder / f"{final.name}{PARTIAL}"
        written = _content(state)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.drop_partial()
        if final.exists():
            write_whole(final / STATE_NAME, written)
        else:
            partial.mkdir()
            learner.save(str(partial.resolve() / "learner"))
            if with_model:
                learner.export(str(partial.resolve() / "model"))
                renderer.save(partial / "model")
            _write(partial, written)
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
        """The checkpoint with the best held-out accuracy, None where none was measured.

        Raises:
            RunFolderError: the note that names it is damaged, or names something else.
        """
        note = self.folder / BEST_NAME
        if not note.exists():
            return None
        path = self.folder / _best_name(note)
        return path if path.is_dir() else None

    def _complete(self) -> list[Path]:
        return sorted(_checkpoints(self.folder), key=_step)

    def _prune(self, state: TrainerState | SftState) -> None:
        if isinstance(state, TrainerState) and state.best_step is not None:
            note = {"checkpoint": f"step_{state.best_step:06d}", "accuracy": state.best_accuracy}
            write_whole(self.folder / BEST_NAME, json.dumps(note))
        best = self.best()
        for path in self._complete()[: -self.keep]:
            if path != best:
                # Renamed first: half a checkpoint must not bear the name of a whole one.
                shutil.rmtree(path.rename(path.with_name(path.name + PARTIAL)))


def write_state(checkpoint: Path, state: TrainerState | SftState) -> None:
    """Write what a checkpoint has besides the learner's files into the folder ``checkpoint``."""
    _write(checkpoint, _content(state))


def _content(state: TrainerState | SftState) -> bytes:
    return pack(to_plain(state))


def _write(folder: Path, content: bytes) -> None:
    (folder / STATE_NAME).write_bytes(content)
    (folder / FORMAT_NAME).write_text(json.dumps({"format": FORMAT}) + "\n")


def read_state(checkpoint: Path) -> TrainerState:
    """Load the state of a run that :meth:`Checkpoints.save` wrote.

    Raises:
        ResumeError: it was written in another format, or is damaged.
    """
    return _read_state(checkpoint, TrainerState, check_coherent, verb="train")


def read_sft_state(checkpoint: Path) -> SftState:
    """Load the state of a cold start that :meth:`Checkpoints.save` wrote.

    Raises:
        ResumeError: it was written in another format, or is damaged.
    """
    return _read_state(checkpoint, SftState, check_sft, verb="sft")


def _read_state(
    checkpoint: Path, kind: type[State], check: Callable[[State], None], *, verb: str
) -> State:
    written = _written_format(checkpoint)
    if written != FORMAT:
        raise ResumeError(
            f"{checkpoint} was written in format {written}; this version of rlcs reads format "
            f"{FORMAT}. Resume with the version that wrote it, or {_new_start(checkpoint)}"
        )
    try:
        return _read(checkpoint, kind, check)
    except _UNREADABLE as error:
        raise damaged(checkpoint, f"{STATE_NAME}: {error}", verb=verb) from error


def damaged(checkpoint: Path, what: str, *, verb: str = "train") -> ResumeError:
    """The error to raise for a checkpoint that cannot be gone on from, with the way to go on by
    the command ``verb``."""
    older = [path for path in _checkpoints(checkpoint.parent) if _step(path) < _step(checkpoint)]
    whole = next((path for path in sorted(older, key=_step, reverse=True) if _is_whole(path)), None)
    if whole is None:
        start = _new_start(checkpoint)
        advice = f"No older checkpoint of this run is whole. {start[0].upper()}{start[1:]}"
    else:
        advice = (
            f"The one before it, {whole.name}, is whole. Remove the folder {checkpoint}, and go on "
            f"from there: rlcs {verb} --resume {checkpoint.parent.parent}."
        )
    return ResumeError(f"{checkpoint} is damaged: {sentence(what)} {advice}")


def _new_start(checkpoint: Path) -> str:
    model = checkpoint / "model"
    if not model.is_dir():
        return "start again."
    return f"start a new run from its model: rlcs train CONFIG model.path={model} run.name=OTHER."


_UNREADABLE = (OSError, DamagedStateError, FormError)
"""What :func:`_read` raises."""


def _read(checkpoint: Path, kind: type[State], check: Callable[[State], None]) -> State:
    state = from_plain(kind, unpack((checkpoint / STATE_NAME).read_bytes()), "state")
    check(state)
    named = NAME.fullmatch(checkpoint.name)
    if named and int(named[1]) != state.steps_done:
        raise FormError(
            f"state.steps_done: expected {int(named[1])}, as the folder is named, found "
            f"{state.steps_done}"
        )
    return state


def _is_whole(checkpoint: Path) -> bool:
    def readable(kind: type[State], check: Callable[[State], None]) -> bool:
        try:
            _read(checkpoint, kind, check)
            return _written_format(checkpoint) == FORMAT
        except (*_UNREADABLE, ResumeError):
            return False

    return readable(TrainerState, check_coherent) or readable(SftState, check_sft)


def _written_format(checkpoint: Path) -> Any:
    path = checkpoint / FORMAT_NAME
    if not path.exists():
        return "2 or older"  # whose number stood inside of a pickle
    written = _json(path)
    if not isinstance(written, dict) or type(written.get("format")) is not int:
        raise damaged(
            checkpoint, f'{FORMAT_NAME}: expected {{"format": {FORMAT}}}, found {written!r:.60}'
        )
    return written["format"]


def _checkpoints(folder: Path) -> Iterator[Path]:
    """The complete checkpoints in ``folder``."""
    for path in folder.glob("step_*"):
        if NAME.fullmatch(path.name) and path.is_dir():
            yield path


def _step(checkpoint: Path) -> int:
    named = NAME.fullmatch(checkpoint.name)
    return int(named[1]) if named else 0


def _best_name(note: Path) -> str:
    """The name of the checkpoint in ``best.json``."""
    written = _json(note)
    name = written.get("checkpoint") if isinstance(written, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise RunFolderError(
            f'{note}: expected {{"checkpoint": "step_000100", "accuracy": 0.5}}, the name of a '
            f"checkpoint beside it, found {written!r:.80}. Remove this file to take the last "
            "checkpoint for the best."
        )
    return name


def _json(path: Path) -> Any:
    """What is in a small JSON file; None where that is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def find_model(path: str | Path) -> Path:
    """The model folder meant by ``path``: a model folder, a checkpoint, or a run (best, else last).

    Raises:
        RunFolderError: there is none, or something of a run leads out of its folder.
    """
    path = Path(path)
    if (path / "config.json").exists():
        return path
    checkpoint = find_checkpoint(path)
    if not (checkpoint / "model" / "config.json").exists():
        raise RunFolderError(
            f"{checkpoint} has no model folder, as run.model_every has it. Make one, and use that: "
            f"rlcs export {path} OUT."
        )
    return checkpoint / "model"


def find_checkpoint(path: Path) -> Path:
    """The checkpoint meant by ``path``: a checkpoint, or a run (its best, else its last).

    Raises:
        RunFolderError: there is none, or something of a run leads out of its folder.
    """
    check_inside(path)
    if (path / FORMAT_NAME).exists() or (path / "model" / "config.json").exists():
        return path
    checkpoints = Checkpoints(path / "checkpoints", keep=1)
    chosen = checkpoints.best() or checkpoints.latest()
    if chosen is None:
        raise RunFolderError(
            f"expected a model folder, a checkpoint or a run with a checkpoint at {path}, "
            "found none of them."
        )
    return chosen


def _flush(folder: Path, *, deep: bool = True) -> None:
    """Make what was written survive a power cut before the rename is seen."""
    for path in (folder, *(folder.rglob("*") if deep else ())):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
