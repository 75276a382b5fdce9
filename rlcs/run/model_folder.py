"""The model of a checkpoint as a Hugging Face folder, also where the checkpoint holds none."""

from __future__ import annotations

import shutil
from pathlib import Path

from rlcs.data import Renderer
from rlcs.errors import LearningError, RunFolderError
from rlcs.files import check_room, size_of, whole, writing
from rlcs.learner.export import export_state
from rlcs.run.checkpoint import damaged, find_checkpoint
from rlcs.run.disk import model_bytes
from rlcs.run.folder import read_run_config


def write_model_folder(run: Path, out: Path, *, trust_code: bool = False) -> Path:
    """Write the model of ``run`` (a run or checkpoint, or a model folder) to ``out``.

    Where the checkpoint has no model folder the model is made of the learner's state, with what
    was not trained from ``model.path``. Returns what it was made of.

    Raises:
        RunFolderError: there is no model in ``run``, or ``out`` exists.
        ModelError: ``model.path`` of the run cannot be loaded.
        StorageError: the disk has no room for the model, is read-only or gone.
    """
    if out.exists():
        raise RunFolderError(f"the folder {out} exists already; remove it or name another.")
    if (run / "config.json").exists():
        return _copy(run, out)
    checkpoint = find_checkpoint(run)
    if (checkpoint / "model" / "config.json").exists():
        return _copy(checkpoint / "model", out)
    config = read_run_config(checkpoint.absolute().parents[1])
    model = config.model.model_copy(update={"trust_code": trust_code})
    needed = model_bytes(model)
    check_room("the model", out, needed_bytes=needed)
    renderer = Renderer.load(
        model.location, config.rollout.max_prompt_tokens, trust_code=trust_code
    )
    with writing("the model", out, needed_bytes=needed), whole(out) as partial:
        partial.mkdir(parents=True)
        try:
            export_state(checkpoint / "learner", partial, model, config.learner)
        except LearningError as error:
            raise damaged(checkpoint, f"the learner's state: {error}") from error
        renderer.save(partial)
    return checkpoint


def _copy(model: Path, out: Path) -> Path:
    needed = size_of(model)
    check_room("the model", out, needed_bytes=needed)
    with writing("the model", out, needed_bytes=needed), whole(out) as partial:
        shutil.copytree(model, partial)
    return model
