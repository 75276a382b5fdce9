"""What a run needs of its disk, and what is left of it when the disk does not give that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from rlcs.config import RunConfig
from rlcs.errors import StorageError
from rlcs.files import naming_disks, size_of
from rlcs.model.loading import folder_bytes
from rlcs.run.checkpoint import Checkpoints

FLOAT32_BYTES = 4


def checkpoint_bytes(config: RunConfig, folder: Path) -> float:
    """The size of the next checkpoint of the run in ``folder``: that of its last one.

    Where there is none it is estimated from the model's folder: the weights twice (for a resume
    and as a model folder) and AdamW's state of what is trained, which is in float32. 0 for a model
    of the hub, whose size is not known here.
    """
    if last := Checkpoints(folder / "checkpoints", keep=1).latest():
        return size_of(last)
    weights = folder_bytes(config.model.path)
    if config.learner.lora:  # the state of the adapters is small
        return 2 * weights
    size = torch.finfo(getattr(torch, config.model.dtype)).bits // 8
    states = 2 if config.model.dtype == "float32" else 3  # two moments, and the weights themselves
    return weights * (2 + states * FLOAT32_BYTES / size)


def checkpoints_kept(config: RunConfig) -> int:
    """The most checkpoints that a run has at a time: those it keeps, the best, and a new one."""
    return config.run.keep_checkpoints + bool(config.data.heldout) + 1


@contextmanager
def saying_what_is_saved(folder: Path) -> Iterator[None]:
    """Add to the error of a disk what of the run in ``folder`` is whole, and how it goes on.

    Raises:
        StorageError: that error.
    """
    try:
        with naming_disks():
            yield
    except StorageError as error:
        raise error.advising(_way_on(folder)) from error


def _way_on(folder: Path) -> str:
    try:
        last = Checkpoints(folder / "checkpoints", keep=1).latest()
    except OSError:
        last = None
    command = f"rlcs train --resume {folder}"
    if last is not None:
        return f"The state of {last.name} is whole; go on from it: {command}"
    if folder.exists():
        return f"Nothing was saved before: remove {folder} and start again."
    return f"What was saved is in the folder that is not there; once it is back: {command}"
