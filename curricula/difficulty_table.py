"""The portable form of what is known about difficulty: a small Parquet table.

Columns `id, model, passes, attempts, label`, one row a problem and model, the form in which offline
grading writes its results too. Attempts may be fractions: exported evidence is aged. Only problems
with evidence have a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curricula.errors import TableError, listed
from curricula.tiers import Floats, Indices


@dataclass(frozen=True, kw_only=True, slots=True)
class DifficultyTable:
    """Evidence about problems, each array and list [rows]; ids are distinct.

    `labels` are tier names, or empty texts.
    """

    ids: Sequence[str]
    passes: Floats
    attempts: Floats
    labels: Sequence[str]

    def __post_init__(self) -> None:
        num = len(self.ids)
        if not len(self.passes) == len(self.attempts) == len(self.labels) == num:
            raise TableError(f"expected columns of one length, found {num} ids and other columns")
        # Written so that NaN fails too.
        fine = (self.passes >= 0) & (self.attempts >= self.passes) & (self.attempts < np.inf)
        if not fine.all():
            place = int(np.argmin(fine))
            raise TableError(
                "expected 0 <= passes <= attempts in every row, found "
                f"{self.passes[place]} of {self.attempts[place]} for {self.ids[place]!r}"
            )
        if len(set(self.ids)) != num:
            raise TableError(
                f"expected every id once, found {num - len(set(self.ids))} repeats; "
                "add up the rows of several models first"
            )

    @property
    def pass_rates(self) -> dict[str, float]:
        """Passes over attempts by id, for `CurriculumProblem.prior_pass_rate`."""
        return {
            name: float(passes / attempts)
            for name, passes, attempts in zip(self.ids, self.passes, self.attempts, strict=True)
            if attempts > 0
        }


def write_difficulty_table(table: DifficultyTable, path: Path | str, *, model: str) -> None:
    """Write the table as Parquet; `model` names the policy the evidence is about."""
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, Any] = {
        "id": pyarrow.array(table.ids, pyarrow.string()),
        "model": pyarrow.array([model] * len(table.ids), pyarrow.string()),
        "passes": table.passes.astype(np.float32),
        "attempts": table.attempts.astype(np.float32),
        "label": pyarrow.array(table.labels, pyarrow.string()),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def read_difficulty_table(path: Path | str) -> DifficultyTable:
    """Read a table, adding up the attempts of all models by problem.

    TableError when a column is missing or its counts make no sense.
    """
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(path).to_pydict()
    if missing := [name for name in ("id", "passes", "attempts") if name not in columns]:
        raise TableError(
            f"expected the columns id, passes and attempts in {path}, found {listed(columns)}; "
            f"missing: {', '.join(missing)}"
        )
    for name in ("id", "passes", "attempts"):
        if None in columns[name]:
            raise TableError(
                f"expected a value in every row of column {name} of {path}, found none in row "
                f"{columns[name].index(None)}"
            )
    place: dict[str, int] = {}
    rows = np.array([place.setdefault(name, len(place)) for name in columns["id"]], dtype=np.int64)
    labels = [""] * len(place)
    for row, label in zip(rows.tolist(), columns.get("label", []), strict=False):
        labels[row] = label or labels[row]
    return DifficultyTable(
        ids=list(place),
        passes=_sums(rows, columns["passes"], len(place)),
        attempts=_sums(rows, columns["attempts"], len(place)),
        labels=labels,
    )


def _sums(rows: Indices, counts: list[float], num: int) -> Floats:
    return np.bincount(rows, np.array(counts, dtype=np.float64), minlength=num).astype(np.float64)
