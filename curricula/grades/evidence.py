"""A history's evidence as a difficulty table, and back."""

import numpy as np

from curricula.errors import TableError, listed
from curricula.grades.difficulty_table import DifficultyTable
from curricula.knowledge.history import PassRateHistory
from curricula.knowledge.ids import IdTable


def evidence_table(history: PassRateHistory, ids: IdTable, *, step: int) -> DifficultyTable:
    """Return what a history knows, aged to `step`, with the tiers as labels."""
    seen = np.flatnonzero(history.last_step >= 0)
    passes, failures = history.evidence(seen, step)
    names = history.tiers.names
    return DifficultyTable(
        ids=ids.texts(seen),
        passes=passes,
        attempts=passes + failures,
        labels=[names[tier] for tier in history.tiers_of(history.buckets.bucket_of(seen)).tolist()],
    )


def take_evidence(
    history: PassRateHistory, ids: IdTable, table: DifficultyTable, *, drop_foreign: bool
) -> int:
    """Give an empty history the evidence of a table; return how many foreign rows were left out.

    TableError when there are foreign rows and `drop_foreign` is False.
    """
    indices = ids.find(table.ids)
    foreign = np.flatnonzero(indices < 0)
    if foreign.size and not drop_foreign:
        raise TableError(
            f"expected ids of this problem set ({len(ids)} problems), found "
            f"{foreign.size} foreign rows of {len(table.ids)}: "
            f"{listed(table.ids[row] for row in foreign.tolist())}; "
            "use the table of this data set, or say drop_foreign=True"
        )
    rows = np.flatnonzero((indices >= 0) & (table.attempts > 0))
    history.take(
        indices[rows],
        passes=table.passes[rows],
        failures=table.attempts[rows] - table.passes[rows],
        last_step=np.zeros(len(rows), dtype=np.int64),
    )
    return len(foreign)
