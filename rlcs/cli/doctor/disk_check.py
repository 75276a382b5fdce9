"""Checks that the disk has room for what a run keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rlcs.config import RunConfig
from rlcs.files import check_room, free_bytes, readable
from rlcs.run.disk import checkpoint_bytes, checkpoints_kept


def disk_lines(config: RunConfig) -> Iterator[str]:
    """What the run's checkpoints need and what is free, as lines of text.

    Raises:
        StorageError: the run folder cannot be written, or has no room for them.
    """
    folder = Path(config.run.folder) / config.run.name
    each, number = checkpoint_bytes(config, folder), checkpoints_kept(config)
    if each:
        yield f"a checkpoint needs about {readable(each)}; at most {number} are there at a time"
    yield f"{readable(free_bytes(folder))} are free where {folder} goes"
    check_room(f"{number} checkpoints", folder, needed_bytes=number * each)
