"""Learned and forgotten: when problems were first solved, which were lost again, what is due."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.insight.derived import MASTERED
from rlcs.insight.run import Run
from rlcs.insight.series import stretch

LOST_BY = 0.5
"""Fall of the pass rate from the best draw to the last from which a problem counts as lost."""
MOST_ROWS = 200


def course(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P]; ``solved``, problems solved at least once up to there; ``mastered``, those with
    a draw of which at least three quarters passed."""
    width = stretch(run, 200)
    rows = run.store.columns(
        "SELECT stretch, sum(solved)::BIGINT AS solved, sum(mastered)::BIGINT AS mastered FROM ("
        "  SELECT (first_solved - 1) // ? AS stretch, 1 AS solved, 0 AS mastered "
        "  FROM problem_summary WHERE first_solved IS NOT NULL UNION ALL "
        "  SELECT (best_step - 1) // ?, 0, 1 FROM problem_summary WHERE best_step IS NOT NULL"
        ") GROUP BY stretch ORDER BY stretch",
        [width, width],
    )
    return {
        "step": (rows["stretch"] + 1) * width,
        "solved": np.cumsum(rows["solved"]),
        "mastered": np.cumsum(rows["mastered"]),
    }


def newly_solved(run: Run) -> list[dict[str, Any]]:
    """Problems whose first draws had no pass, solved later, the latest first."""
    return run.store.rows(
        "SELECT problem_id, category, first_solved, draws, first_rate, last_rate, "
        "left(question, 120) AS question FROM problem_summary "
        "WHERE first_solved > first_step ORDER BY first_solved DESC, problem_id LIMIT ?",
        [MOST_ROWS],
    )


def lost(run: Run) -> list[dict[str, Any]]:
    """Problems whose last draw fell far below their best, the deepest fall first."""
    return run.store.rows(
        "SELECT problem_id, category, best_rate, last_rate, best_step, last_step, draws, "
        "left(question, 120) AS question FROM problem_summary "
        "WHERE best_rate - last_rate >= ? AND best_step < last_step "
        "ORDER BY best_rate - last_rate DESC, last_step DESC, problem_id LIMIT ?",
        [LOST_BY, MOST_ROWS],
    )


def due(run: Run) -> list[dict[str, Any]]:
    """Problems that were mastered when last drawn, the longest ago first: ``ago`` in steps."""
    return run.store.rows(
        "SELECT problem_id, category, last_step, (SELECT max(step) FROM steps) - last_step AS ago, "
        "last_rate, draws, left(question, 120) AS question FROM problem_summary "
        "WHERE last_rate >= ? ORDER BY last_step, problem_id LIMIT ?",
        [MASTERED, MOST_ROWS],
    )
