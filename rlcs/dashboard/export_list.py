"""Lists to save, in which no text of a run becomes a formula of the program that opens them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; a text that a spreadsheet would take for a formula gets a quotation mark."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([[_safe(row.get(name)) for name in columns] for row in rows])
    return file.getvalue()


def as_lines(ids: Sequence[str]) -> str:
    """An id a line; one that is no single line, which no loader makes, is left out."""
    return "".join(f"{name}\n" for name in ids if name.strip() == name and name.isprintable())


def _safe(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
