"""Reading a file of cases line by line; a broken line is named and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rewards.verdict import Request

MAX_LINE_CHARACTERS = 16_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A row to check: the request to judge, and what is expected of the verdict.

    expected: True (passes), False (does not), a score, or None (only reported).
    """

    line: int
    id: str
    request: Request
    expected: bool | float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that could not be read as a case, and why."""

    line: int
    why: str


def read_cases(
    path: Path, domain: str | None, *, needs_response: bool
) -> Iterator[Case | BrokenLine]:
    """Yield the rows of ``path`` in order. ``domain`` is used where a row names none."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield _read_case(line, number, domain, needs_response)
            except (ValueError, RecursionError) as error:
                yield BrokenLine(number, str(error)[:200])


def _read_case(line: str, number: int, domain: str | None, needs_response: bool) -> Case:
    if len(line) > MAX_LINE_CHARACTERS:
        raise ValueError(f"longer than {MAX_LINE_CHARACTERS} characters")
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(row, dict):
        raise ValueError(f"expected an object, found {type(row).__name__}")
    row_domain = row.get("domain", domain)
    if not isinstance(row_domain, str):
        raise ValueError("domain: missing")
    if "reference" not in row:
        raise ValueError("reference: missing")
    response = row.get("response")
    if response is None and not needs_response:
        response = ""
    if not isinstance(response, str):
        raise ValueError(f"response: expected text, found {type(response).__name__}")
    question, bare = row.get("question"), row.get("bare", False)
    if question is not None and not isinstance(question, str):
        raise ValueError(f"question: expected text, found {type(question).__name__}")
    if not isinstance(bare, bool):
        raise ValueError(f"bare: expected true or false, found {bare!r}")
    expected = row.get("expected")
    if expected is not None and not isinstance(expected, bool | int | float):
        raise ValueError(f"expected: expected true, false or a number, found {expected!r}")
    request = Request(
        domain=row_domain,
        response=response,
        reference=row["reference"],
        question=question,
        bare=bare,
    )
    return Case(number, str(row.get("id", number)), request, expected, str(row.get("note", "")))
