"""A run folder from somebody else: nothing in it leads out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from rlcs.errors import RunFolderError


def check_inside(folder: Path) -> None:
    """Check that ``folder`` holds files and folders alone, and links that stay within it.

    What is written there, read or copied from there is then the run's own. ``folder`` itself may
    be a link: the user named it.

    Raises:
        RunFolderError: a link leads out, or something is neither a file nor a folder.
    """
    root = folder.resolve()
    try:
        entries = list(_entries(root))
    except OSError as error:
        raise RunFolderError(
            f"{folder}: expected a folder that can be read, found: {error}"
        ) from error
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
            raise RunFolderError(
                f"{path}: expected a file of this folder, found a link to {os.readlink(path)}, "
                "which leads out of it. Put what it names in its place, or remove the link."
            )
        if not entry.is_symlink() and not entry.is_file() and not entry.is_dir():
            raise RunFolderError(
                f"{path}: expected a file or a folder, found neither (a pipe, a socket or a "
                "device). Remove it."
            )


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything in ``folder``, at any depth; links are not followed."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))
