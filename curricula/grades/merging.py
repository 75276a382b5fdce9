"""One pass rate a problem out of several models' attempts and what people said.

    weighted   passes of all models / attempts of all models
    mean       the mean of the models' pass rates, whatever their attempts
    last       that of the last model (the newest checkpoint) that attempted this problem
    best       that of the best model that attempted it; the better model is the one with the higher
               mean pass rate over the problems that all of them attempted

A person's label becomes a pass rate: a tier's name its centre, a number its position between the
easiest number of its scale (pass rate 1) and the hardest (0). It then decides alone (`first`), or
counts as so many attempts beside the models' (`counts`), the conjugate update of a Beta prior.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from curricula.errors import SettingsError, TableError, listed
from curricula.grades.difficulty_table import DifficultyTable, Grades
from curricula.knowledge.tiers import Floats, Indices, TierLayout

MergeRule = Literal["weighted", "mean", "best", "last"]
LabelRule = Literal["first", "counts"]


def merge_grades(grades: Grades, rule: MergeRule, *, models: Sequence[str] = ()) -> DifficultyTable:
    """Merge the evidence of `models` (all when empty), the oldest first, by problem.

    Attempts of the result: of all models for `weighted` and `mean`, of the chosen one otherwise.
    TableError for models that are not in the table, or when there is no best one to be found.
    """
    if foreign := [name for name in models if name not in grades.models]:
        raise TableError(
            f"expected models of the table ({listed(grades.models)}), found {listed(foreign)}"
        )
    if len(set(models)) != len(models):
        raise TableError(f"expected every model once, found {listed(models)}")
    rows = [list(grades.models).index(name) for name in models or grades.models]
    passes, attempts = grades.passes[rows], grades.attempts[rows]
    merged = _RULES[rule](passes, attempts)
    total = merged[1]
    return DifficultyTable(ids=grades.ids, passes=merged[0], attempts=total, labels=grades.labels)


def label_pass_rate(
    label: str,
    *,
    tiers: Sequence[str],
    boundaries: Sequence[float],
    scale: tuple[float, float],
) -> float:
    """Return the pass rate that a label stands for.

    A tier's name (case, spaces, hyphens and underscores aside) stands for the tier's centre, a
    number for its position on `scale`, (easiest, hardest). TableError for anything else.
    """
    names = {_folded(name): tier for tier, name in enumerate(tiers)}
    if (tier := names.get(_folded(label))) is not None:
        return float(TierLayout(tiers, boundaries).tier_centres[tier])
    easiest, hardest = scale
    if easiest == hardest or not (math.isfinite(easiest) and math.isfinite(hardest)):
        raise SettingsError(f"expected a scale with two different ends, found {scale}")
    try:
        share = (float(label) - easiest) / (hardest - easiest)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:  # NaN fails too
        raise TableError(
            f"expected a label that is one of {', '.join(tiers)} or a number from {easiest:g} "
            f"(easiest) to {hardest:g} (hardest), found {label!r}"
        )
    return 1.0 - share


def with_labels(
    table: DifficultyTable,
    rates: Mapping[str, float],
    rule: LabelRule,
    *,
    weight: float,
) -> DifficultyTable:
    """Add people's pass rates, by id, to a table, each worth `weight` attempts.

    Problems that only people graded are added.
    """
    if not 0 < weight < math.inf:
        raise SettingsError(f"expected a label weight above 0, found {weight}")
    row_of = {name: row for row, name in enumerate(table.ids)}
    for name in rates:
        row_of.setdefault(name, len(row_of))
    num_new = len(row_of) - len(table.ids)
    passes = np.append(table.passes, np.zeros(num_new))
    attempts = np.append(table.attempts, np.zeros(num_new))
    rows = np.array([row_of[name] for name in rates], dtype=np.int64)
    said = weight * np.array(list(rates.values()), dtype=np.float64)
    if rule == "first":
        passes[rows], attempts[rows] = 0, 0
    passes[rows] += said
    attempts[rows] += weight
    return DifficultyTable(
        ids=list(row_of),
        passes=passes,
        attempts=attempts,
        labels=[*table.labels, *[""] * num_new],
    )


def _weighted(passes: Floats, attempts: Floats) -> tuple[Floats, Floats]:
    return passes.sum(0), attempts.sum(0)


def _mean(passes: Floats, attempts: Floats) -> tuple[Floats, Floats]:
    attempted = attempts > 0
    rates = np.divide(passes, attempts, out=np.zeros_like(passes), where=attempted)
    mean = rates.sum(0) / np.maximum(1, attempted.sum(0))
    total = attempts.sum(0)
    return np.minimum(mean * total, total), total


def _last(passes: Floats, attempts: Floats) -> tuple[Floats, Floats]:
    return _first_to_attempt(passes, attempts, np.arange(len(passes))[::-1])


def _best(passes: Floats, attempts: Floats) -> tuple[Floats, Floats]:
    shared = (attempts > 0).all(0)
    if not shared.any():
        raise TableError(
            f"expected problems that all {len(attempts)} models were asked, to tell the best by, "
            "found none; merge by another rule, or name fewer models"
        )
    means = (passes[:, shared] / attempts[:, shared]).mean(1)
    return _first_to_attempt(passes, attempts, np.argsort(-means, kind="stable"))


def _first_to_attempt(passes: Floats, attempts: Floats, order: Indices) -> tuple[Floats, Floats]:
    """By problem the counts of the first model in `order` that attempted it."""
    chosen = order[(attempts[order] > 0).argmax(0)]
    columns = np.arange(passes.shape[1])
    return passes[chosen, columns], attempts[chosen, columns]


_RULES: Mapping[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "weighted": _weighted,
    "mean": _mean,
    "best": _best,
    "last": _last,
}


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())
