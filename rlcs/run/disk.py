"""What a run needs of its disk, and what is left of it when the disk does not give that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from rlcs.config import ModelSection, RunConfig, TrainedSection
from rlcs.errors import StorageError
from rlcs.files import naming_disks, size_of
from rlcs.learner.state_files import MOMENTS
from rlcs.model.parts import folder_numbers, trained_numbers
from rlcs.run.checkpoint import Checkpoints

FLOAT32_BYTES = 4


def model_bytes(model: ModelSection) -> int:
    """The size of the model as a folder; 0 for a model of the hub, whose size is not known here."""
    return folder_numbers(model.path) * torch.finfo(getattr(torch, model.dtype)).bits // 8


def state_bytes(model: ModelSection, trained: TrainedSection) -> int:
    """The size of the learner's state: of what is trained the weights and AdamW's two moments in
    float32; 0 for a model of the hub."""
    return trained_numbers(model.path, trained) * FLOAT32_BYTES * (1 + len(MOMENTS))


def checkpoint_bytes(config: RunConfig, folder: Path) -> int:
    """The size of the largest checkpoint of the run in ``folder`` that may come next.

    What is neither model nor learner is taken from the last one, where there is one.
    """
    size = state_bytes(config.model, config.learner)
    if config.run.model_every:
        size += model_bytes(config.model)
    if size and (last := Checkpoints(folder / "checkpoints", keep=1).latest()):
        size += size_of(last) - size_of(last / "learner") - size_of(last / "model")
    return size


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
        raise error.advising(way_on(folder)) from error


def way_on(folder: Path) -> str:
    """What of the run in ``folder`` is whole, and how it goes on, for a message."""
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
