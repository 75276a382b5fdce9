"""Rows that cannot be used: refused together, or dropped and written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rlcs.data.messages import MAX_SHOWN, list_problems
from rlcs.errors import DatasetError
from rlcs.files import whole, writing

DROPPED_NAME = "dropped_rows.jsonl"
"""In the folder of a run."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used."""

    location: str
    """Its file and line, and its id where it has one."""
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


@dataclass
class Faults:
    """What is done with rows that cannot be used."""

    bad_rows: Literal["refuse", "drop"]
    dropped: list[Fault] = field(default_factory=list)

    def settle(
        self,
        number: int,
        faults: Callable[[int], Sequence[Fault]],
        error: Callable[[list[str]], DatasetError],
    ) -> None:
        """Refuse ``number`` rows, or drop them. ``faults`` gives the first so many of them.

        Raises:
            DatasetError: ``error`` of the lines that name the first of them.
        """
        if not number:
            return
        if self.bad_rows == "refuse":
            raise error([str(each) for each in faults(MAX_SHOWN)])
        self.dropped += faults(number)

    def notes(self) -> list[str]:
        """What is said of those that were dropped."""
        if not self.dropped:
            return []
        return [
            f"{len(self.dropped):,} rows cannot be used and were dropped (data.bad_rows = drop), "
            f"the first of them {self.dropped[0]}"
        ]


def refusal(where: str, number: int, advice: str, lines: list[str]) -> DatasetError:
    """The error that names the first of ``number`` faults."""
    advice = f"{advice or 'Correct these rows'}, or leave them out: data.bad_rows=drop."
    return DatasetError(f"{list_problems(where, lines, number)}\n{advice}")


def write_dropped(folder: Path, dropped: Sequence[Fault]) -> None:
    """Write the rows that were dropped into a run's folder, if there are any.

    Raises:
        StorageError: the disk does not take it.
    """
    if not dropped:
        return
    rows = ({"row": each.location, "reason": each.reason} for each in dropped)
    with (
        writing("the dropped rows", folder),
        whole(folder / DROPPED_NAME) as partial,
        partial.open("w", encoding="utf-8") as file,
    ):
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
