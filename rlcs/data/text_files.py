"""JSONL, JSON and CSV files, plain or compressed, as batches of lines.

A line ends at a line feed and nowhere else: U+2028 and its like are characters of a text.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from rlcs.data.file_lists import suffix_of
from rlcs.data.stores import LINE_COLUMNS
from rlcs.errors import DatasetError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
BOM = b"\xef\xbb\xbf"
NO_UTF8 = "expected text in UTF-8, found other bytes"
BATCH_LINES = 8192
BATCH_BYTES = 2**24

Line = tuple[int, bytes, str | None]
"""Where in the file, the row as JSON, and why it is none."""


def line_batches(files: list[Path]) -> Iterator[Any]:
    """Arrow batches of the rows of ``files``, which are of text formats.

    Raises:
        DatasetError: a file cannot be read.
    """
    import pyarrow as pa

    schema = line_schema()
    for index, path in enumerate(files):
        for part in _parts(_lines_of(path)):
            numbers, lines, faults = zip(*part, strict=True)
            yield pa.record_batch(
                [
                    pa.array([index] * len(part), schema.field("file").type),
                    pa.array(numbers, schema.field("number").type),
                    pa.array(lines, schema.field("line").type),
                    pa.array(faults, schema.field("fault").type),
                ],
                schema=schema,
            )


def line_schema() -> Any:
    """The Arrow schema of ``LINE_COLUMNS``."""
    import pyarrow as pa

    types = (pa.int32(), pa.int64(), pa.large_binary(), pa.string())
    return pa.schema(list(zip(LINE_COLUMNS, types, strict=True)))


def _parts(lines: Iterator[Line]) -> Iterator[list[Line]]:
    part: list[Line] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line[1])
        if len(part) == BATCH_LINES or size > BATCH_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _lines_of(path: Path) -> Iterator[Line]:
    suffix = suffix_of(path)
    with _opened(path) as file:
        if suffix in (".csv", ".tsv"):
            yield from _cells(path, file, "\t" if suffix == ".tsv" else ",")
        elif suffix == ".json" and _first_character(file) == b"[":
            yield from _entries(path, file)
        else:
            for number, line in enumerate(file, start=1):
                if number == 1 and suffix == ".json" and line.removeprefix(BOM).strip() == b"{":
                    raise DatasetError(
                        f"{path}: expected a list of objects, or an object a line, found one "
                        "object over several lines. Write the list in it to a file of its own."
                    )
                if line.strip():
                    yield number, line, None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The content of a file, which is not compressed any more."""
    import pyarrow as pa

    try:
        compression = COMPRESSIONS.get(path.suffix.lower())
        if compression is None:
            with path.open("rb") as file:
                yield file
        else:
            with pa.input_stream(str(path), compression=compression) as stream:
                yield io.BufferedReader(stream, 2**20)
    except OSError as error:
        raise DatasetError(f"{path}: expected a file that can be read, found {error}") from error


def _first_character(file: io.BufferedReader) -> bytes:
    """The first character of a file that is no space, which stays to be read."""
    start = file.peek(4096).removeprefix(BOM).lstrip()
    return start[:1]


def _entries(path: Path, file: BinaryIO) -> Iterator[Line]:
    """The entries of a JSON file that holds one list."""
    try:
        entries = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: expected a list of objects in JSON, found {error}") from None
    for number, entry in enumerate(entries, start=1):
        yield number, json.dumps(entry).encode(), None


def _cells(path: Path, file: BinaryIO, delimiter: str) -> Iterator[Line]:
    """The rows of a CSV file; an empty cell is null, and all others are texts."""
    csv.field_size_limit(sys.maxsize)
    # What is no UTF-8 becomes half a surrogate pair, by which its row is found and named.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    names: list[str] | None = None
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            if names is None:
                names = _header(path, cells)
            elif len(cells) == len(names):
                values = {name: cell or None for name, cell in zip(names, cells, strict=True)}
                line = json.dumps(values)
                # Half a surrogate pair; what is whole has another half before it.
                fault = NO_UTF8 if "\\udc" in line and not _is_utf8(cells) else None
                yield number, b"" if fault else line.encode(), fault
            elif cells:
                yield number, b"", f"expected {len(names)} cells as in line 1, found {len(cells)}"
    except csv.Error as error:
        raise DatasetError(f"{path}:{before + 1}: expected CSV, found {error}") from None


def _is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _header(path: Path, names: list[str]) -> list[str]:
    if not _is_utf8(names):
        raise DatasetError(f"{path}: {NO_UTF8} in the first line. Save the file as UTF-8.")
    if len(set(names)) < len(names) or not all(names):
        raise DatasetError(
            f"{path}: expected a first line with another name for each column, found "
            f"{', '.join(map(repr, names))}. Write such a line (pandas: to_csv(index=False))."
        )
    return names
