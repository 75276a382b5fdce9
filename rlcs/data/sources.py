"""A source of the configuration as a store of its rows, and how these are laid out.

Small files are read into memory. The rows of larger ones are written once, as Arrow, into the cache
beside the data, and mapped from there: text formats line by line, Parquet files with the columns
that are wanted. What ``datasets`` has written itself is mapped where it lies.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rlcs.config import SourceSection
from rlcs.data import parquet_files
from rlcs.data.cache import ROWS_KIND, CacheFile, cache_folder, content_key, key_of, locked
from rlcs.data.file_lists import TABLE_SUFFIXES, find_files, saved_by_datasets, suffix_of
from rlcs.data.generated import generate
from rlcs.data.layouts import LAST_TURN, LaidOut, lay_out
from rlcs.data.stores import DatasetRows, LineStore, Mapped, RowStore, TableStore
from rlcs.data.text_files import line_batches, line_schema
from rlcs.errors import DatasetError, first_line

SMALL_BYTES = 2**25
"""Rows of at most so many bytes are held in memory."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The files that a source lies in, and what of them is read."""

    name: str
    files: Sequence[Path]
    read: tuple[Any, ...] = ()
    """What of the files is read, for the key."""

    @cached_property
    def content(self) -> str:
        """A key of what is read."""
        return key_of(content_key(self.files), list(self.read))

    def cache_file(self, kind: str, *made_from: Any) -> CacheFile:
        """The file of the cache that is made from the content and ``made_from``."""
        folder = cache_folder(Path(self.files[0]).parent)
        return CacheFile(folder, key_of(self.name), kind, key_of(self.content, *made_from))


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSource:
    """A source whose rows can be read."""

    store: RowStore
    laid: LaidOut
    origin: Origin | None = None
    """None where rows are made."""

    def without_pictures(self) -> OpenSource:
        """The same rows, of which neither pictures nor videos are read."""
        columns = self.laid.source.columns.model_copy(update={"images": None, "videos": None})
        source = self.laid.source.model_copy(update={"columns": columns})
        return replace(self, laid=replace(self.laid, source=source))


def open_source(source: SourceSection) -> OpenSource:
    """Find the rows of ``source``, the first ``limit`` of them if it has a limit.

    Raises:
        DatasetError: the source cannot be read at all, or holds no rows.
        PackageMissingError: reasoning-gym is needed and not installed.
    """
    if source.reasoning_gym is not None:
        store = generate(source, source.reasoning_gym)
        found = OpenSource(store=store, laid=lay_out(source, store.names()))
    elif source.hub is not None:
        found = _open_dataset(source)
    else:
        assert source.path is not None
        found = (
            _open_dataset(source)
            if saved_by_datasets(Path(source.path))
            else _open_files(source, find_files(source.path))
        )
    if not len(found.store):
        raise DatasetError(f"{source.name}: expected rows, found none.")
    return found


def _open_files(source: SourceSection, files: list[Path]) -> OpenSource:
    try:
        if suffix_of(files[0]) in TABLE_SUFFIXES:
            return _open_tables(source, files)
        return _open_lines(source, files)
    except DatasetError:
        raise
    except (OSError, ValueError) as error:
        raise DatasetError(f"{source.name}: expected a data set, found {error}") from error


def _open_lines(source: SourceSection, files: list[Path]) -> OpenSource:
    origin = Origin(name=source.name, files=files, read=(source.limit,))
    mapped = _mapped(origin, source.limit, line_schema(), line_batches(files))
    store = LineStore(mapped, [str(path) for path in files], limit=source.limit)
    return OpenSource(store=store, laid=lay_out(source, store.names()), origin=origin)


def _open_tables(source: SourceSection, files: list[Path]) -> OpenSource:
    counts, schemas = [], []
    for path in files:
        with parquet_files.reading(path) as file:
            counts.append(file.metadata.num_rows)
            schemas.append((path, file.schema_arrow))
    names = schemas[0][1].names
    laid = lay_out(source, names)
    columns = _columns_in(laid, names)
    schema = parquet_files.shared_schema(schemas, columns)
    origin = Origin(name=source.name, files=files, read=(source.limit, *columns))
    mapped = _mapped(origin, source.limit, schema, parquet_files.batches(files, schema))
    store = TableStore(mapped, [str(path) for path in files], counts, limit=source.limit)
    return OpenSource(store=store, laid=laid, origin=origin)


def _open_dataset(source: SourceSection) -> OpenSource:
    """A data set of the hub, or a folder that ``datasets`` saved."""
    import datasets

    try:
        if source.hub is not None:
            found: Any = datasets.load_dataset(source.hub, source.subset, split=source.split)
        else:
            found = datasets.load_from_disk(source.path)
        if isinstance(found, datasets.DatasetDict):
            if source.split not in found:
                raise DatasetError(
                    f"{source.name}: expected the split {source.split!r}, found "
                    f"{', '.join(found)}. Name one of these by split."
                )
            found = found[source.split]
        laid = lay_out(source, found.column_names)
        # Other columns are never read, and pictures stay encoded.
        chosen = found.select_columns(_columns_in(laid, found.column_names))
    except DatasetError:
        raise
    except Exception as error:  # of a damaged folder the package raises anything
        raise DatasetError(
            f"{source.name}: expected a data set, found {first_line(error)} "
            f"({type(error).__name__}). Look whether it is whole."
        ) from error
    rows = DatasetRows(source.name, chosen.with_format("arrow"))
    store = TableStore(rows, [source.name], [rows.num_rows], limit=source.limit)
    files = [Path(each["filename"]) for each in found.cache_files]
    origin = Origin(name=source.name, files=files, read=(source.split, source.limit))
    return OpenSource(store=store, laid=laid, origin=origin if files else None)


def _mapped(origin: Origin, limit: int | None, schema: Any, batches: Iterator[Any]) -> Mapped:
    """The rows in memory where they are few, or else in the cache."""
    import pyarrow as pa

    first: list[Any] = []
    if limit is not None or sum(path.stat().st_size for path in origin.files) <= SMALL_BYTES:
        left, size = limit, 0
        for batch in batches:
            first.append(batch if left is None else batch.slice(0, left))
            size += first[-1].nbytes
            left = None if left is None else left - len(first[-1])
            if size > SMALL_BYTES or left == 0:
                break
        if size <= SMALL_BYTES:
            return Mapped(pa.Table.from_batches(first, schema))
    file = origin.cache_file(ROWS_KIND)
    with locked(file.folder):
        if not file.is_there():
            with file.writing(schema) as write:
                for batch in itertools.chain(first, _until(batches, limit, first)):
                    write(batch)
        return Mapped(path=file.path, held=file.held())


def _until(batches: Iterator[Any], limit: int | None, first: Sequence[Any]) -> Iterator[Any]:
    """The batches that follow ``first`` up to ``limit`` rows."""
    left = None if limit is None else limit - sum(len(batch) for batch in first)
    for batch in batches:
        if left is None:
            yield batch
        elif left > 0:
            yield batch.slice(0, left)
            left -= len(batch)
        else:
            return


def _columns_in(laid: LaidOut, names: Sequence[str]) -> list[str]:
    """Those columns of a table that are read.

    Raises:
        DatasetError: it does not have them all.
    """
    wanted = wanted_columns(laid.source)
    found = {name: _top(name, names) for name in wanted if name != LAST_TURN}
    if missing := [name for name, column in found.items() if column is None]:
        raise DatasetError(
            f"{laid.source.name}: expected the columns {', '.join(wanted)}, found "
            f"{', '.join(names)}. Name the columns under columns"
            + (f" ({', '.join(missing)} is not there)." if len(wanted) > len(missing) else ".")
        )
    return sorted({column for column in found.values() if column is not None})


def _top(name: str, names: Sequence[str]) -> str | None:
    """The column that ``name`` leads into."""
    return next((each for each in (name, name.partition(".")[0]) if each in names), None)


def wanted_columns(source: SourceSection) -> list[str]:
    """The names of the columns that are read from each row of ``source``."""
    columns = source.columns.model_dump()
    if columns["messages"] is not None:
        columns["question"] = None
    return sorted({name for name in columns.values() if name is not None})
