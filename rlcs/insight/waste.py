"""Waste ledger: what was generated and trained nothing, by reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.series import shares, stretch

REASONS = {
    "trained on": "The learner learned from it.",
    "all right": "Every completion passed: nothing to learn from.",
    "all wrong": "None passed: nothing to learn from.",
    "surplus": "Valid, but the batch was full.",
    "errored": "Our own side failed to judge it.",
    "carried": "Kept for a step that has not come yet.",
}
"""What became of a draw, and what that means."""


def ledger(run: Run, *, price: float = 0.0) -> list[dict[str, Any]]:
    """A row a reason: ``groups``, ``tokens``, ``share`` (of all tokens), ``hours`` and ``money``.

    Hours are those of the rollout of its step, shared out by tokens; ``price`` is that of an hour.
    """
    rows = run.store.rows(
        "SELECT reason, sum(groups)::BIGINT AS groups, sum(tokens)::BIGINT AS tokens, "
        "sum(seconds) / 3600 AS hours FROM waste GROUP BY reason ORDER BY tokens DESC"
    )
    return _with_shares(rows, price)


def by_domain(run: Run, *, price: float = 0.0) -> list[dict[str, Any]]:
    """The same, a row a domain, of what trained nothing."""
    rows = run.store.rows(
        "SELECT domain, sum(groups)::BIGINT AS groups, sum(tokens)::BIGINT AS tokens, "
        "sum(seconds) / 3600 AS hours FROM waste WHERE reason <> 'trained on' "
        "GROUP BY domain ORDER BY tokens DESC LIMIT 100"
    )
    return _with_shares(rows, price)


def course(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P] and for each reason the share [P] of the step's tokens."""
    width = stretch(run, 200)
    rows = run.store.columns(
        "SELECT (step - 1) // ? AS stretch, reason, sum(tokens)::DOUBLE AS tokens "
        "FROM waste GROUP BY ALL",
        [width],
    )
    there = set(rows["reason"])
    names = [reason for reason in REASONS if reason in there]
    return shares(rows["stretch"], rows["reason"], rows["tokens"], names=names, width=width)


def truncated(run: Run, *, price: float = 0.0) -> dict[str, Any]:
    """Completions that ran out of tokens, of what was read so far: their number, ``tokens``,
    ``hours`` and ``money``, as :func:`ledger` has them."""
    row = run.store.rows(
        "WITH times AS (SELECT step, max(value) FILTER (name = 'seconds/rollout') AS seconds, "
        "  max(value) FILTER (name = 'tokens') AS all_tokens FROM numbers "
        "  WHERE name IN ('seconds/rollout', 'tokens') GROUP BY step) "
        "SELECT coalesce(sum(completions), 0)::BIGINT AS completions, "
        "coalesce(sum(tokens), 0)::BIGINT AS tokens, "
        "coalesce(sum(tokens * seconds / nullif(all_tokens, 0)), 0) / 3600 AS hours "
        "FROM completion_counts LEFT JOIN times USING (step) WHERE finish_reason = 'length'"
    )[0]
    return {**row, "money": row["hours"] * price if price else None}


def _with_shares(rows: list[dict[str, Any]], price: float) -> list[dict[str, Any]]:
    total = sum(row["tokens"] for row in rows) or 1
    return [
        {**row, "share": row["tokens"] / total, "money": row["hours"] * price if price else None}
        for row in rows
    ]
