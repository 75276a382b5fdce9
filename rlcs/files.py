"""Writing files and folders: whole or not at all, and what to say where a disk does not take them.

:func:`writing` is the one place where the errors of a full, read-only or lost disk, in whatever
words the packages that write have for them, become ours.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rlcs.errors import RlcsError, StorageError

PARTIAL = ".partial"
"""The end of the name of a file or folder that is still being written."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
BROKEN = {errno.EIO, errno.ESTALE}
GONE = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.EHOSTDOWN}

SURELY_OF_A_DISK = FULL | BROKEN | {errno.EROFS}
"""Numbers of errors that mean nothing but a disk, whatever was being done."""

REMEDIES = (
    (FULL, "Make room there."),
    (CLOSED, "Make it writable, or choose another folder."),
    (GONE, "If it was moved or its disk unmounted, put it back."),
    (BROKEN, "Look at the disk, or at the server that it is mounted from."),
)
"""What to do about each kind of error."""

UNKNOWN = "a file was not taken whole (is the disk full, a quota used up, or the folder gone?)"

_NUMBER = re.compile(r"\b(?:errno|os error) (\d+)\b", re.IGNORECASE)
"""How Python, Arrow (``[errno 28]``) and Rust (``os error 28``) give the number within a text."""

_NO_NUMBER = re.compile(
    r"enforce fail at inline_container|PytorchStreamWriter failed|"  # torch
    r"Parent directory .* does not exist|cannot be opened|"
    r"database or disk is full|disk I/O error|readonly database|unable to open database"  # SQLite
)
"""What packages say that do not tell the number."""

_TRIAL_BYTES = 2**16


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
        with suppress(
            OSError
        ):  # on a disk that is gone; the error that led here is the one to tell
            remove(partial)
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace the file ``path`` by one with ``content``; a text is written as UTF-8.

    What is there and is no file (``/dev/stdout``, a pipe) is written to and stays what it is.
    """
    written = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(written)
        return
    with whole(path) as partial:
        partial.write_bytes(written)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def writing(what: str, folder: Path, *, needed_bytes: float | None = None) -> Iterator[None]:
    """Turn what a disk does not let the block do into one error, which says what to do.

    ``what`` names what is written into ``folder``; ``needed_bytes`` is its size where that is
    known. Where such blocks are nested, the outer one says what was written and the inner one why
    it was not.

    Raises:
        StorageError: the disk is full, read-only or gone.
    """
    try:
        yield
    except Exception as error:
        reason, code = _reason(error, folder)
        if not reason:
            raise
        raise _storage_error(what, folder, reason, code, needed_bytes) from error


@contextmanager
def naming_disks() -> Iterator[None]:
    """Like :func:`writing`, for a block that does more than write and may write anywhere.

    Only errors that mean a disk beyond doubt count; the file is named where the error names it.

    Raises:
        StorageError: a disk is full, read-only or gone.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, RlcsError) or error.errno not in SURELY_OF_A_DISK:
            raise
        what = error.filename or "something that is printed or kept"
        reason = _in_words(error.errno)
        made = StorageError(f"{what} could not be written: {reason}. {_remedy(error.errno)}")
        raise _with_reason(made, reason, error.errno) from error


def check_room(what: str, folder: Path, *, needed_bytes: float = 0) -> None:
    """Check before long work that ``what`` of ``needed_bytes`` can be written into ``folder``.

    The folder need not be there yet.

    Raises:
        StorageError: it cannot be written, or the disk has less room.
    """
    parent = _nearest(folder)
    with writing(what, folder), tempfile.TemporaryFile(dir=parent) as trial:
        trial.write(bytes(1))
        trial.flush()
    if needed_bytes > free_bytes(parent):
        reason = _in_words(errno.ENOSPC)
        raise _storage_error(what, folder, reason, errno.ENOSPC, needed_bytes)


def free_bytes(path: Path) -> int:
    """The bytes that are free where ``path`` is, or will be."""
    return shutil.disk_usage(_nearest(path)).free


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; what vanishes meanwhile counts as none."""
    total = 0
    for each in path.rglob("*") if path.is_dir() else [path]:
        with suppress(OSError):
            total += each.lstat().st_size
    return total


def readable(number: float) -> str:
    """``number`` bytes as text, in the unit that suits the size."""
    gib = 2**30
    return f"{number / gib:.1f} GiB" if number >= 0.1 * gib else f"{number / 2**20:.1f} MiB"


def _reason(error: Exception, folder: Path) -> tuple[str, int | None]:
    """Why a disk did not take what was written, and the number of it; "" for any other error."""
    if isinstance(error, StorageError):
        return error.reason, error.code
    if isinstance(error, RlcsError | ConnectionError):
        return "", None
    code = error.errno if isinstance(error, OSError) else None
    if code is None and (found := _NUMBER.search(str(error))):
        code = int(found[1])
    if code in FULL | CLOSED | BROKEN | GONE:
        named = getattr(error, "filename", None)
        elsewhere = named and not Path(str(named)).is_relative_to(folder)
        return _in_words(code) + (f" ({named})" if elsewhere else ""), code
    if code is None and _NO_NUMBER.search(str(error)):
        code = _try_out(folder)
        return (UNKNOWN, None) if code is None else (_in_words(code), code)
    return "", None


def _try_out(folder: Path) -> int | None:
    """The number of the error that a small file in ``folder`` meets now."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)) as trial:
            trial.write(bytes(_TRIAL_BYTES))
            trial.flush()
    except OSError as error:
        return error.errno
    return None


def _in_words(code: int) -> str:
    return f"{os.strerror(code)[0].lower()}{os.strerror(code)[1:]}"


def _remedy(code: int | None) -> str:
    return next((remedy for codes, remedy in REMEDIES if code in codes), "Make room there.")


def _storage_error(
    what: str, folder: Path, reason: str, code: int | None, needed_bytes: float | None
) -> StorageError:
    room = [f"about {readable(needed_bytes)} are needed"] if needed_bytes else []
    with suppress(OSError):
        if code not in GONE | CLOSED | BROKEN:
            room.append(f"{readable(free_bytes(folder))} are free")
    parts = [f"{what} could not be written to {folder}: {reason}"]
    parts += [", ".join(room)] if room else []
    message = "; ".join(parts)
    return _with_reason(StorageError(f"{message}. {_remedy(code)}"), reason, code)


def _with_reason(error: StorageError, reason: str, code: int | None) -> StorageError:
    error.reason, error.code = reason, code
    return error


def _nearest(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    absolute = path.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.exists())
