"""Tables by relative mapping similarity (RMS), from DePlot (Liu et al. 2023, section 3).

A table is a set of (row, column, value) entries. Keys are matched at least cost by normalised
edit distance (cut at tau), values by relative distance (cut at theta); the score is the F1 of
the products of similarities, for the better of the table and its transpose.
"""

from __future__ import annotations

import re
from typing import Any

from rewards.charts.numbers import read_number
from rewards.errors import AnswerError
from rewards.text.words import similarity

MAX_ENTRIES = 400
TAU = 0.5
THETA = 0.5
Table = list[list[str]]


def read_table(value: Any) -> Table | None:
    """Read a table from rows, or from text with | or tabs; return None when it is none."""
    if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        return [[str(cell).strip() for cell in row] for row in value]
    if not isinstance(value, str):
        return None
    lines = [line.strip() for line in value.replace("<0x0A>", "\n").strip().splitlines()]
    lines = [line for line in lines if line and not re.fullmatch(r"[|\s:+=-]+", line)]
    separator = "|" if "|" in value else "\t" if "\t" in value else ","
    if len(lines) < 2 or any(separator not in line for line in lines):
        return None
    framed = all(line.startswith("|") and line.endswith("|") for line in lines)
    inner = [line[1:-1] if framed else line for line in lines]
    return [[cell.strip() for cell in line.split(separator)] for line in inner]


def table_similarity(reference: Table, answer: Table) -> float:
    """Return the F1 of RMS, in [0, 1]. Raises AnswerError for a table that is too large."""
    return max(
        _f1(_entries(reference), _entries(answer)),
        _f1(_entries(reference), _entries(_transposed(answer))),
    )


def _transposed(table: Table) -> Table:
    width = max(len(row) for row in table)
    return [[row[i] if i < len(row) else "" for row in table] for i in range(width)]


def _entries(table: Table) -> list[tuple[str, str]]:
    header, *rows = table
    found = [
        (f"{row[0]} {header[i] if i < len(header) else ''}".strip(), row[i])
        for row in rows
        for i in range(1, len(row))
    ]
    if len(found) > MAX_ENTRIES:
        raise AnswerError(f"a table of more than {MAX_ENTRIES} entries")
    return found


def _f1(reference: list[tuple[str, str]], answer: list[tuple[str, str]]) -> float:
    if not reference or not answer:
        return float(reference == answer)
    from scipy.optimize import linear_sum_assignment

    keys = [[_text_similarity(a[0], r[0]) for r in reference] for a in answer]
    rows, columns = linear_sum_assignment(keys, maximize=True)
    total = sum(
        keys[i][j] * _value_similarity(answer[i][1], reference[j][1])
        for i, j in zip(rows, columns, strict=True)
    )
    return 2.0 * float(total) / (len(reference) + len(answer))


def _text_similarity(one: str, other: str) -> float:
    likeness = similarity(one.lower()[:200], other.lower()[:200])
    return likeness if 1 - likeness <= TAU else 0.0


def _value_similarity(answer: str, reference: str) -> float:
    found, expected = read_number(answer), read_number(reference)
    if found is None or expected is None:
        return _text_similarity(answer, reference)
    if expected.value == 0:
        return float(found.value == 0)
    distance = abs(found.value - expected.value) / abs(expected.value)
    return float(1 - distance) if distance <= THETA else 0.0
