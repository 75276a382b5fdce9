"""Rows of a JSONL file that is still being written, as Arrow tables.

What follows the last line end is half a line and waits for the next look. A line that is no row of
the expected form is left out and counted, so that a damaged file never stops a view.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pj

CHUNK_BYTES = 16 * 2**20
_TAIL_BYTES = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """Whole lines of a file from a position on."""

    content: bytes
    end: int
    """Bytes of the file up to the end of ``content``."""
    more: bool
    """Whether the file goes on behind ``content`` by more than half a line."""


def read_lines(path: Path, start: int, *, most: int = CHUNK_BYTES) -> Lines:
    """The whole lines of ``path`` from byte ``start`` on, about ``most`` bytes of them."""
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(most)
        full = len(content) == most
        cut = content.rfind(b"\n") + 1
        while full and not cut:  # one line is longer than that
            extra = file.read(most)
            full = len(extra) == most
            content += extra
            cut = content.rfind(b"\n") + 1
    return Lines(content=content[:cut], end=start + cut, more=full)


def fingerprint(path: Path, position: int) -> str:
    """Tells whether a file is the same one up to ``position``, but for changes in its middle."""
    with path.open("rb") as file:
        head = file.read(min(_TAIL_BYTES, position))
        file.seek(max(0, position - _TAIL_BYTES))
        tail = file.read(min(_TAIL_BYTES, position))
    return hashlib.sha256(head + b"\0" + tail).hexdigest()[:16]


def to_table(content: bytes, schema: pa.Schema) -> tuple[pa.Table, int]:
    """The rows in ``content`` with the columns of ``schema``, and how many lines were no such row.

    A column that a row lacks is null.
    """
    if not content.strip():
        return schema.empty_table(), 0
    options = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    try:
        return pj.read_json(io.BytesIO(content), parse_options=options).cast(schema), 0
    except (pa.ArrowException, ValueError):
        return _line_by_line(content, schema)


def to_rows(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """The objects in ``content``, and how many lines were none."""
    rows, bad = [], 0
    for line in content.splitlines():
        row = _row(line)
        if row is None:
            bad += bool(line.strip())
        else:
            rows.append(row)
    return rows, bad


def _line_by_line(content: bytes, schema: pa.Schema) -> tuple[pa.Table, int]:
    rows, bad = to_rows(content)
    good = []
    for row in rows:
        kept = {name: row.get(name) for name in schema.names}
        try:
            pa.Table.from_pylist([kept], schema=schema)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            bad += 1
        else:
            good.append(kept)
    return pa.Table.from_pylist(good, schema=schema), bad


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
