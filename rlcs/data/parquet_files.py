"""Parquet files as batches of the columns that are read, of the same types in every file.

The files of one data set are not always written alike: a column that is empty in one of them has no
type there, and objects have only the keys that occur. Such differences are evened out. A column
whose values themselves would change by it (numbers into texts, whole numbers into fractions) is
refused: a reference must reach its verifier as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rlcs.errors import DatasetError, first_line

BATCH_ROWS = 64
"""Rows that are copied at once: each may hold a picture."""


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    """Give the open Parquet file.

    Raises:
        DatasetError: it is none, or is damaged; the message names it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(
            f"{path}: expected a Parquet file that can be read, found {_reason(error)}. Copy or "
            "make it again."
        ) from error


def shared_schema(schemas: Sequence[tuple[Path, Any]], columns: Sequence[str]) -> Any:
    """The Arrow schema of ``columns`` that takes the values of all files as they are.

    Raises:
        DatasetError: a file lacks one of them, or has it in another type.
    """
    import pyarrow as pa

    first, schema = schemas[0]
    types = {name: _plain(schema.field(name).type) for name in columns}
    for path, schema in schemas[1:]:
        if missing := [name for name in columns if name not in schema.names]:
            raise DatasetError(
                f"{path}: expected the columns of the first file, found no {', '.join(missing)}. "
                "Name files with the same columns by a pattern."
            )
        for name in columns:
            found = schema.field(name).type
            shared = _shared(types[name], _plain(found))
            if shared is None:
                raise DatasetError(
                    f"{path}: expected the column {name!r} in the type that it has in {first} or "
                    f"after it ({types[name]}), found {found}. Write all files with one type, or "
                    "make each a source of its own."
                )
            types[name] = shared
    return pa.schema(list(types.items()))


def batches(files: Sequence[Path], schema: Any) -> Iterator[Any]:
    """Arrow batches of the rows of all files, in ``schema``.

    Raises:
        DatasetError: a file is damaged, or a text in it is not UTF-8.
    """
    import pyarrow as pa

    for path in files:
        with reading(path) as file:
            number = 0
            for batch in file.iter_batches(BATCH_ROWS, columns=schema.names):
                _check(path, number, batch)
                number += len(batch)
                table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
                yield from table.combine_chunks().to_batches()


def _check(path: Path, before: int, batch: Any) -> None:
    """Check the values of a batch, ``before`` which the file has so many rows."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        for row in range(len(batch)):
            try:
                batch.slice(row, 1).validate(full=True)
            except pa.ArrowInvalid as error:
                raise DatasetError(
                    f"{path} row {before + row + 1}: expected values of the columns' types, found "
                    f"{_reason(error)}. Correct this row, or take it out of the file."
                ) from None
        raise


def _reason(error: BaseException) -> str:
    return first_line(error).rstrip(".")


def _plain(kind: Any) -> Any:
    """The type of the same values without what an encoder made of them."""
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _shared(first: Any, second: Any) -> Any | None:
    """The type that takes the values of both types as they are; None without one."""
    import pyarrow.types as kinds

    if first.equals(second) or kinds.is_null(second):
        return first
    if kinds.is_null(first):
        return second
    for is_kind, widest in _widest().items():
        if is_kind(first) and is_kind(second):
            return widest
    if kinds.is_struct(first) and kinds.is_struct(second):
        return _shared_object(first, second)
    if _is_list(first) and _is_list(second):
        return _shared_list(first, second)
    return None


def _widest() -> dict[Any, Any]:
    """Of each kind of type the one that takes them all."""
    import pyarrow as pa
    import pyarrow.types as kinds

    return {
        kinds.is_signed_integer: pa.int64(),
        kinds.is_unsigned_integer: pa.uint64(),
        kinds.is_floating: pa.float64(),
        lambda kind: kinds.is_string(kind) or kinds.is_large_string(kind): pa.large_string(),
        lambda kind: kinds.is_binary(kind) or kinds.is_large_binary(kind): pa.large_binary(),
    }


def _is_list(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_list(kind) or kinds.is_large_list(kind))


def _shared_list(first: Any, second: Any) -> Any | None:
    import pyarrow as pa

    inner = _shared(_plain(first.value_type), _plain(second.value_type))
    return None if inner is None else pa.large_list(inner)


def _shared_object(first: Any, second: Any) -> Any | None:
    """An object with the keys of both; a row's own lose those that are null (see the stores)."""
    import pyarrow as pa

    types = {field.name: _plain(field.type) for field in first}
    for field in second:
        shared = _shared(types.get(field.name, pa.null()), _plain(field.type))
        if shared is None:
            return None
        types[field.name] = shared
    return pa.struct(list(types.items()))
