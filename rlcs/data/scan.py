"""The one scan over all rows: what must be known of each, on all cores, kept beside the data.

Few rows are examined in this process and nothing is kept of them. Of many, ranges are examined by
worker processes; the facts are written to the cache as they come, and mapped from there, so that
the next start with the same data, settings and model reads no row at all.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import rewards
from rewards import VerifierPool
from rlcs.data.cache import CacheFile, code_key, key_of, locked
from rlcs.data.facts import PROMPTS, REFERENCES, ROWS, Examiner, schemas, stamp_of
from rlcs.data.render import Renderer
from rlcs.data.scan_progress import telling
from rlcs.data.stores import Mapped
from rlcs.errors import DatasetError

MANY_ROWS = 10_000
"""From so many rows on worker processes are worth their start, and the cache its files."""
CHUNK_ROWS = 1_000
"""Rows that a worker examines at once."""
CHUNKS_AHEAD = 4
"""For each worker so many are waiting, or done and not yet written."""

Facts = dict[str, Any]
"""Of one source: kind → Arrow table, a row each."""


@dataclass(frozen=True, slots=True)
class _Todo:
    """What is not known yet of a source."""

    source: int
    kinds: tuple[str, ...]
    files: dict[str, CacheFile]
    """Where each kind is kept; empty where nothing is kept."""


def scan(examiner: Examiner) -> list[Facts]:
    """The facts of all rows of each of the examiner's sources.

    Raises:
        DatasetError, ConfigError, ModelError: as examining one row may.
        StorageError: the disk does not take the cache.
    """
    many = sum(len(source.store) for source in examiner.sources) >= MANY_ROWS
    with contextlib.ExitStack() as stack:
        files = [_files(examiner, index) if many else {} for index in range(len(examiner.sources))]
        folders = {file.folder for each in files for file in each.values()}
        for folder in sorted(folders):  # in one order, so that nobody waits for one who waits
            stack.enter_context(locked(folder))
        known = [_kept(each) for each in files]
        todo = [
            _Todo(index, kinds, {kind: file for kind, file in of.items() if kind in kinds})
            for index, (of, facts) in enumerate(zip(files, known, strict=True))
            if (kinds := tuple(kind for kind in _kinds(examiner) if kind not in facts))
        ]
        if todo:
            _examine(examiner, todo, known)
    return known


def _kinds(examiner: Examiner) -> tuple[str, ...]:
    references = () if examiner.pool is None else (REFERENCES,)
    return (ROWS, *references, *(() if examiner.renderer is None else (PROMPTS,)))


def _files(examiner: Examiner, index: int) -> dict[str, CacheFile]:
    """Where the facts of a source are kept, each by all that they are made from."""
    source = examiner.sources[index]
    if source.origin is None:
        return {}
    here = Path(__file__).parent
    made_from: dict[str, list[Any]] = {
        ROWS: [
            code_key(here, here.parent / "types.py"),
            source.laid.source.model_dump(),
            source.laid.conversation,
            sorted(examiner.domains),
            examiner.video.model_dump(),
            os.getcwd() if source.laid.source.images_folder else "",
        ]
    }
    if examiner.pool is not None:
        judging = [code_key(Path(rewards.__file__).parent), _terms_key(examiner.pool)]
        made_from[REFERENCES] = made_from[ROWS] + judging
    if examiner.renderer is not None:
        packages = [version(name) for name in ("transformers", "tokenizers")]
        made_from[PROMPTS] = made_from[ROWS] + [examiner.renderer.identity(), packages]
    return {
        kind: source.origin.cache_file(f"scan_{kind}", *parts) for kind, parts in made_from.items()
    }


def _terms_key(pool: VerifierPool) -> str:
    """A key of how a pool judges, and of the files of the user's own verifiers."""
    terms = pool.terms()
    names = sorted(name.partition(":")[0] for name in terms["custom"].values())
    found = [importlib.util.find_spec(name) for name in names]
    files = [Path(each.origin) for each in found if each and each.origin]
    return key_of({**terms, "deadline_seconds": 0}, code_key(*files))


def _kept(files: dict[str, CacheFile]) -> Facts:
    """The facts that are kept and still hold."""
    found = {kind: Mapped(path=file.path).table for kind, file in files.items() if file.is_there()}
    known = schemas()
    found = {kind: table for kind, table in found.items() if _is_sound(table, known[kind])}
    return found if ROWS in found and _same_pictures(found[ROWS]) else {}


def _is_sound(table: Any, schema: Any) -> bool:
    """Whether a table is what it says; a file from elsewhere may say anything of its own sizes."""
    import pyarrow as pa

    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return bool(table.schema.equals(schema))


def _same_pictures(rows: Any) -> bool:
    """Whether the files of all pictures are as they were when they were examined."""
    for files, stamps in zip(rows["files"].chunks, rows["stamps"].chunks, strict=True):
        pairs = zip(files.flatten(), stamps.flatten(), strict=True)
        if any(stamp_of(file.as_py()) != stamp.as_py() for file, stamp in pairs):
            return False
    return True


def _examine(examiner: Examiner, todo: Sequence[_Todo], known: Sequence[Facts]) -> None:
    """Add to ``known`` what is to be found."""
    import pyarrow as pa

    number = sum(len(examiner.sources[each.source].store) for each in todo)
    spread = number >= MANY_ROWS
    with telling(number) as count, _workers(examiner, spread) as chunks:
        for each in todo:
            found: dict[str, list[Any]] = {kind: [] for kind in each.kinds}
            with contextlib.ExitStack() as stack:
                write = {
                    kind: stack.enter_context(file.writing(schemas()[kind]))
                    for kind, file in each.files.items()
                }
                num_rows = len(examiner.sources[each.source].store)
                for batches in chunks(each.source, num_rows, each.kinds):
                    for kind, batch in batches.items():
                        write.get(kind, found[kind].append)(batch)
                    count(len(next(iter(batches.values()))))
            for kind in each.kinds:
                known[each.source][kind] = (
                    Mapped(path=each.files[kind].path).table
                    if kind in each.files
                    else pa.Table.from_batches(found[kind], schemas()[kind])
                )


@contextlib.contextmanager
def _workers(examiner: Examiner, spread: bool) -> Iterator[Any]:
    """What yields the facts of a source chunk by chunk, in order."""

    def here(source: int, num_rows: int, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
        for start in range(0, num_rows, CHUNK_ROWS):
            yield examiner.examine(source, start, min(num_rows, start + CHUNK_ROWS), kinds)

    if not spread:
        yield here
        return
    workers = num_workers()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),  # this process has threads
        initializer=_begin,
        initargs=(
            replace(examiner, pool=None, renderer=None),
            None if examiner.pool is None else examiner.pool.terms(),
            None if examiner.renderer is None else examiner.renderer.loaded_by,
        ),
    ) as executor:

        def there(source: int, num_rows: int, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
            starts = iter(range(0, num_rows, CHUNK_ROWS))

            def submit(number: int) -> list[Future[dict[str, Any]]]:
                return [
                    executor.submit(
                        _examine_there, source, start, min(num_rows, start + CHUNK_ROWS), kinds
                    )
                    for start in islice(starts, number)
                ]

            waiting = submit(workers * CHUNKS_AHEAD)
            while waiting:
                yield waiting.pop(0).result()
                waiting += submit(1)

        try:
            yield there
        except BrokenProcessPool as error:
            raise DatasetError(
                "a process that examined the data ended: it was killed, or the machine's memory "
                f"was full ({error})"
            ) from error
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def num_workers() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


_EXAMINER: Examiner | None = None
"""Of a worker process."""


def _begin(examiner: Examiner, terms: dict[str, Any] | None, loaded_by: Any) -> None:
    """Make a process a worker, which ends with the process that started it."""
    global _EXAMINER
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _EXAMINER = replace(
        examiner,
        pool=None if terms is None else VerifierPool(1, **terms),
        renderer=None if loaded_by is None else Renderer.load(**loaded_by),
    )


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _examine_there(source: int, start: int, stop: int, kinds: Sequence[str]) -> dict[str, Any]:
    assert _EXAMINER is not None
    return _EXAMINER.examine(source, start, stop, kinds)
