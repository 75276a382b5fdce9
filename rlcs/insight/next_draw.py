"""Why this problem now: the terms of a draw, and a preview of the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curricula import CurriculumError
from rlcs.insight.curriculum import SavedCurriculum, saved_curriculum
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
    """The next draw, from what the last checkpoint knew."""

    saved: SavedCurriculum
    num_draws: int
    """How many problems will be drawn: more than groups are wanted where draws are expanded."""
    rows: list[dict[str, Any]]
    """The most probable problems: ``problem_id`` and :data:`TERMS`."""
    expected: float
    """Sum of all probabilities: how many problems would be drawn."""
    even: float
    """The probability that each problem would have, were all drawn alike."""


def preview(run: Run) -> Preview:
    """The most probable problems of the next draw, each with its terms.

    It takes seconds for a million problems; :func:`explained` then answers at once.

    Raises:
        RunFolderError: see :func:`saved_curriculum`.
    """
    saved = saved_curriculum(run)
    curriculum, step = saved.curriculum, saved.next_step
    # Where carried groups fill the step nothing is drawn: shown is the draw for one group.
    number = max(1, curriculum.num_to_draw(saved.groups_per_step, step=step))
    chances = curriculum.chances(None, number, step=step)
    most = min(MOST_ROWS, len(chances))
    first = np.argpartition(-chances, most - 1)[:most]
    first = first[np.argsort(-chances[first], kind="stable")]
    return Preview(
        saved=saved,
        num_draws=number,
        rows=_rows(saved, curriculum.ids.texts(first), number),
        expected=float(chances.sum()),
        even=number / len(chances),
    )


def explained(preview: Preview, problem_id: str) -> dict[str, Any] | None:
    """The row of a problem, whatever its probability; None where the run has no such problem."""
    try:
        return _rows(preview.saved, [problem_id], preview.num_draws)[0]
    except CurriculumError:  # another run's id, or no text at all
        return None


def _rows(saved: SavedCurriculum, names: list[str], number: int) -> list[dict[str, Any]]:
    terms = saved.curriculum.explain(names, number, step=saved.next_step)
    return [
        {"problem_id": name, **{key: float(values[at]) for key, values in terms.items()}}
        for at, name in enumerate(names)
    ]
