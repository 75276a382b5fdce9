"""What is kept of a data set beside it, so that the next start need not read it all again.

A cache file is an Arrow stream, and beside it lies a small JSON file that says what it was made
from and its digest. A file that was made from something else, or that is not as it was written, is
made anew. The folder lies beside the data or, where that cannot be written, in the user's own cache
folder. Whoever writes holds the folder's lock, so that runs that start together make it once.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rlcs.files import remove, whole, write_whole, writing

FOLDER_NAME = ".rlcs_cache"
WHOLE_BYTES = 2**26
"""A file of at most so many bytes is read whole for its digest; of a larger one samples are."""
SAMPLES = 64
SAMPLE_BYTES = 2**16
ROWS_KIND = "data"
"""The kind of a file that has the rows themselves."""
SETTINGS_KEPT = 4
"""Files of any other kind that are kept of one source."""


@dataclass(frozen=True, slots=True)
class CacheFile:
    """One file of a cache, there or yet to be made."""

    folder: Path
    source: str
    """Which source it is of: ``key_of`` its files' names."""
    kind: str
    """What is in it."""
    key: str
    """``key_of`` all that it is made from."""

    @property
    def path(self) -> Path:
        """The Arrow stream."""
        return self.folder / f"{self.source}-{self.kind}-{self.key}.arrow"

    @property
    def _about(self) -> Path:
        return self.path.with_suffix(".json")

    def is_there(self) -> bool:
        """Whether the file is there, as it was written."""
        try:
            about = json.loads(self._about.read_text())
            return bool(about == {"key": self.key, "digest": digest_of_file(self.path)})
        except (OSError, ValueError):
            return False

    def held(self) -> BinaryIO:
        """The open file; until it is closed, or its process ends, nobody removes it as too old."""
        file = self.path.open("rb")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    @contextmanager
    def writing(self, schema: Any) -> Iterator[Callable[[Any], None]]:
        """Give what takes the record batches; the file is there when the block ends, or as it was.

        What it takes the place of is removed.

        Raises:
            StorageError: the disk does not take it.
        """
        import pyarrow as pa

        with (
            writing("the cache of the data", self.folder),
            whole(self.path) as partial,
            pa.OSFile(str(partial), "wb") as file,
            pa.ipc.new_stream(file, schema) as stream,
        ):
            yield stream.write_batch
        with writing("the cache of the data", self.folder):
            about = {"key": self.key, "digest": digest_of_file(self.path)}
            write_whole(self._about, json.dumps(about) + "\n")
        self._remove_older()

    def _remove_older(self) -> None:
        """Remove the oldest files of this source and kind that nobody holds.

        Rows are large, and settings are tried out: of what is made with them some are kept.
        """
        num_kept = 1 if self.kind == ROWS_KIND else SETTINGS_KEPT
        alike = self.folder.glob(f"{self.source}-{self.kind}-*.arrow")
        with suppress(OSError):  # the user may remove them, too
            for path in sorted(alike, key=lambda each: -each.stat().st_mtime)[num_kept:]:
                if not _is_held(path):
                    remove(path)
                    remove(path.with_suffix(".json"))


def _is_held(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def cache_folder(beside: Path) -> Path:
    """The folder of the cache of what lies in the folder ``beside``; it is made."""
    folder = beside / FOLDER_NAME
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "rlcs" / key_of(str(beside.resolve()))
    with writing("the cache of the data", folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a cache's folder; others that want it wait.

    Raises:
        StorageError: the disk has no such lock.
    """
    with writing("the cache of the data", folder):
        file = (folder / "lock").open("w")
    with file:
        with writing("the cache of the data", folder):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def key_of(*parts: Any) -> str:
    """A short digest of what JSON can write."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content_key(files: Sequence[Path]) -> str:
    """A key of the names, sizes, times and contents of files."""
    parts = [
        (str(path), path.stat().st_size, path.stat().st_mtime_ns, digest_of_file(path))
        for path in files
    ]
    return key_of(parts)


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's size and content, of a large one of samples that are spread over it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        if size <= WHOLE_BYTES:
            while part := file.read(2**20):
                digest.update(part)
        else:
            for sample in range(SAMPLES):
                file.seek((size - SAMPLE_BYTES) * sample // (SAMPLES - 1))
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()


def code_key(*paths: Path) -> str:
    """A key of Python files and of those in folders: what they make of the same data may change."""
    found = [path.rglob("*.py") if path.is_dir() else [path] for path in paths]
    files = sorted(itertools.chain.from_iterable(found))
    return key_of([(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files])
