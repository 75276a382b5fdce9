"""Writing files and folders so that they are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL = ".partial"
"""The end of the name of a file or folder that is still being written."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give the path to write to; what lies there gets the name ``path`` when the block ends.

    A reader finds the old file or the new one, never a part. When the block raises, what was
    written is removed and ``path`` is as it was. What a killed process left behind is removed
    first. A folder replaces an empty folder at most.
    """
    partial = path.with_name(path.name + PARTIAL)
    remove(partial)
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        remove(partial)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace the file ``path`` by one with ``content``; a text is written as UTF-8."""
    with whole(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
