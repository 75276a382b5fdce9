"""The rows of a source as they were found: an Arrow table in memory, or mapped from a file.

Only the rows that are asked for are read. Text formats keep each line as it was written, and it is
parsed when its row is read: Arrow's types would turn a column of ``"2024-05-01"`` into timestamps
and refuse long whole numbers, and a reference must reach its verifier as it was written.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from rlcs.errors import DatasetError, first_line

LINE_COLUMNS = ("file", "number", "line", "fault")
"""Of the table of a text format: which of the source's files, where in it, the row as JSON, and why
there is none."""


class BadRowError(Exception):
    """A row that cannot become a problem; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row as its source holds it."""

    location: str
    """The file and line of the row: ``train.jsonl:12``, ``train.parquet row 12``."""
    values: dict[str, Any]
    """Column → value."""
    place: tuple[RowStore, int] | None = field(default=None, compare=False)
    """Where its pictures can be read again; None where they are kept nowhere else."""

    def has(self, name: str) -> bool:
        """Whether there is a value, even if it is null; a name with dots leads into objects."""
        return _reach(self.values, name)[0]

    def get(self, name: str) -> Any:
        """The value of a column, None where there is none."""
        return _reach(self.values, name)[1]


class RowStore(Protocol):
    """The rows of one source. It crosses processes, and a mapped file by its path."""

    def __len__(self) -> int: ...

    def names(self) -> list[str]:
        """The names of the columns, of lines those of the first row."""

    def location(self, index: int) -> str:
        """Where a message says that row is."""

    def rows(self, start: int, stop: int, without: Collection[str] = ()) -> list[Row | BadRowError]:
        """The rows from ``start`` to ``stop``, and in the place of one that is none, why.

        Columns ``without`` which the reader can do need not be read.
        """

    def read(self, index: int, column: str) -> Any:
        """One cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture within a row, which is read when it is wanted and not kept."""

    store: RowStore
    index: int
    column: str
    part: int | None
    """Which of the list in the cell; None where the cell holds one thing."""

    def read_bytes(self) -> bytes:
        """The encoded bytes."""
        value = self.store.read(self.index, self.column)
        content: bytes = (value if self.part is None else value[self.part])["bytes"]
        return content


class Mapped:
    """A table in memory, or the file that it is mapped from when it is first read."""

    def __init__(
        self, table: Any | None = None, path: Path | None = None, held: BinaryIO | None = None
    ) -> None:
        """``held`` is the open file of a cache, which is not removed while it is open."""
        self._table = table
        self._path = path
        self._held = held

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.column_names)

    def slice(self, start: int, number: int, columns: Sequence[str] | None = None) -> Any:
        """``number`` rows from ``start`` as an Arrow table; of all columns or of some.

        Raises:
            DatasetError: the file is not one of ours, or is damaged.
        """
        import pyarrow as pa

        part = self.table if columns is None else self.table.select(columns)
        part = part.slice(start, number)
        try:
            part.validate(full=True)  # a file from elsewhere may say anything of its own sizes
        except pa.ArrowInvalid as error:
            raise DatasetError(
                f"{self._path}: expected rows as they were written, found {error}. Remove this "
                "file; it is made anew."
            ) from error
        return part

    @property
    def table(self) -> Any:
        """The Arrow table; of a mapped file nothing but what is read lies in memory."""
        if self._table is None:
            import pyarrow as pa

            with pa.memory_map(str(self._path)) as file, pa.ipc.open_stream(file) as reader:
                self._table = reader.read_all()
        return self._table

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_table": None if self._path else self._table, "_held": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class DatasetRows:
    """The rows of a ``datasets.Dataset`` whose format is Arrow, as :class:`Mapped` has its own."""

    def __init__(self, name: str, dataset: Any) -> None:
        """``name`` is what messages call it."""
        self._name = name
        self._dataset = dataset

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self._dataset.num_rows)

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return list(self._dataset.column_names)

    def slice(self, start: int, number: int, columns: Sequence[str] | None = None) -> Any:
        """``number`` rows from ``start`` as an Arrow table; of all columns or of some.

        Raises:
            DatasetError: the files are damaged.
        """
        import pyarrow as pa

        try:
            part = self._dataset[start : start + number]
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(
                f"{self._name} rows {start + 1} to {start + number}: expected them as they were "
                f"saved, found {first_line(error)}. Save the data set again."
            ) from error
        return part if columns is None else part.select(columns)


class LineStore:
    """Rows that are JSON objects; the table has ``LINE_COLUMNS``."""

    def __init__(self, mapped: Mapped, files: Sequence[str], *, limit: int | None, mark: str = ":"):
        """``mark`` stands between file and number in a location."""
        self._mapped = mapped
        self._files = list(files)
        self._limit = limit
        self._mark = mark

    def __len__(self) -> int:
        return min(self._mapped.num_rows, self._limit or self._mapped.num_rows)

    def names(self) -> list[str]:
        """The keys of the first row that is one; none where there is none."""
        for start in range(0, len(self), 64):
            for row in self.rows(start, min(len(self), start + 64)):
                if isinstance(row, Row):
                    return list(row.values)
        return []

    def location(self, index: int) -> str:
        """The file and line of a row."""
        row = self._mapped.slice(index, 1)
        return self._where(row["file"][0].as_py(), row["number"][0].as_py())

    def rows(self, start: int, stop: int, without: Collection[str] = ()) -> list[Row | BadRowError]:
        """The rows from ``start`` to ``stop``; a line is read whole."""
        part = self._mapped.slice(start, stop - start)
        columns = (part[name].to_pylist() for name in LINE_COLUMNS)
        return [self._row(*each) for each in zip(*columns, strict=True)]

    def read(self, index: int, column: str) -> Any:
        """One cell."""
        (row,) = self.rows(index, index + 1)
        return row.get(column) if isinstance(row, Row) else None

    def _row(self, file: int, number: int, line: bytes, fault: str | None) -> Row | BadRowError:
        if fault is not None:
            return BadRowError(fault)
        try:
            return Row(location=self._where(file, number), values=_parse_line(line))
        except (ValueError, RecursionError) as error:
            return BadRowError(f"expected one JSON object, found {error}")

    def _where(self, file: int, number: int) -> str:
        return f"{self._files[file]}{self._mark}{number}"


class TableStore:
    """Rows whose columns have types of their own."""

    def __init__(
        self,
        mapped: Mapped | DatasetRows,
        files: Sequence[str],
        counts: Sequence[int],
        *,
        limit: int | None,
    ) -> None:
        """``counts`` are how many rows each of the files holds."""
        self._mapped = mapped
        self._files = list(files)
        self._ends = [sum(counts[: index + 1]) for index in range(len(counts))]
        self._limit = limit

    def __len__(self) -> int:
        return min(self._mapped.num_rows, self._limit or self._mapped.num_rows)

    def names(self) -> list[str]:
        """The names of the columns."""
        return self._mapped.column_names

    def location(self, index: int) -> str:
        """The file of a row and its number there."""
        file = bisect.bisect_right(self._ends, index)
        before = self._ends[file - 1] if file else 0
        return f"{self._files[file]} row {index - before + 1}"

    def rows(self, start: int, stop: int, without: Collection[str] = ()) -> list[Row | BadRowError]:
        """The rows from ``start`` to ``stop``."""
        columns = [name for name in self.names() if name not in without]
        part = self._mapped.slice(start, stop - start, columns)
        try:
            found = part.to_pylist()
        except (ValueError, OverflowError) as error:  # a date that Python has none for
            if len(part) > 1:
                return [row for at in range(start, stop) for row in self.rows(at, at + 1, without)]
            return [BadRowError(f"expected values that can be read, found {first_line(error)}")]
        return [
            Row(location=self.location(index), values=_without_nulls(row), place=(self, index))
            for index, row in enumerate(found, start=start)
        ]

    def read(self, index: int, column: str) -> Any:
        """One cell."""
        top = column if column in self.names() else column.partition(".")[0]
        (values,) = self._mapped.slice(index, 1, [top]).to_pylist()
        return _reach(_without_nulls(values), column)[1]


def _reach(values: dict[str, Any], name: str) -> tuple[bool, Any]:
    """Whether ``name`` is found in the row, and its value."""
    if name in values:
        return True, values[name]
    first, dot, rest = name.partition(".")
    inner = values.get(first)
    return _reach(inner, rest) if dot and isinstance(inner, dict) else (False, None)


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    """The row without the keys that its objects have only because other rows' objects have them."""
    return {name: _bare(value) for name, value in row.items()}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items() if each is not None}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _parse_line(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"broken JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"bytes that are no UTF-8 ({line[error.start]:#04x} at byte {error.start + 1})"
        ) from None
    if not isinstance(values, dict):
        raise ValueError(f"a {type(values).__name__}")
    if b"\\ud" in line.lower():  # half of a surrogate pair is JSON, but no tokenizer reads it
        json.dumps(values, ensure_ascii=False).encode()
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, which is not JSON")
