"""Why this problem now: the terms of a draw, and a preview of the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcs.insight.curriculum import SavedCurriculum, newest_checkpoint, saved_curriculum
from rlcs.insight.run import Run

MOST_ROWS = 100

TERMS = {
    "probability": "probability",
    "weight": "weight",
    "bucket_rate": "bucket's pass rate",
    "bucket_valid": "bucket's valid groups",
    "bucket_problems": "bucket's problems",
    "bucket_draws": "bucket's draws",
    "passes": "passes, aged",
    "failures": "failures, aged",
    "resting": "resting",
    "retired": "retired",
}
"""The terms of a draw, as ``SamplingCurriculum.explain`` has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """The next draw after ``step``, from what the last checkpoint knew."""

    step: int
    num_draws: int
    rows: list[dict[str, Any]]
    """The most probable problems: ``problem_id`` and :data:`TERMS`."""
    expected: float
    """Sum of all probabilities: how many problems would be drawn."""
    even: float
    """The probability that each problem would have, were all drawn alike."""
    one: dict[str, Any] | None
    """The row of the problem that was asked for, whatever its probability."""


def version(run: Run) -> str:
    """Changes when :func:`preview` has something new to say."""
    return newest_checkpoint(run)


def preview(run: Run, saved: SavedCurriculum, problem_id: str = "") -> Preview:
    """The most probable problems of the next draw, each with its terms.

    Raises:
        RunFolderError: see :func:`saved_curriculum`.
    """
    step, number = saved.step + 1, saved.groups_per_step
    chances = saved.curriculum.chances(saved.ids, number, step=step)
    first = np.argsort(-chances, kind="stable")[:MOST_ROWS]
    names = [saved.ids[at] for at in first]
    rows = _rows(saved, names, number, step)
    one = next((row for row in rows if row["problem_id"] == problem_id), None)
    if one is None and problem_id in set(saved.ids):
        one = _rows(saved, [problem_id], number, step)[0]
    return Preview(
        step=saved.step,
        num_draws=number,
        rows=rows,
        expected=float(chances.sum()),
        even=number / len(saved.ids),
        one=one,
    )


def _rows(saved: SavedCurriculum, names: list[str], number: int, step: int) -> list[dict[str, Any]]:
    terms = saved.curriculum.explain(names, number, step=step)
    return [
        {"problem_id": name, **{key: float(values[at]) for key, values in terms.items()}}
        for at, name in enumerate(names)
    ]


__all__ = ["TERMS", "Preview", "preview", "saved_curriculum", "version"]
