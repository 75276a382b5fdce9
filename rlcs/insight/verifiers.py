"""Verifiers: outcomes, latency and timeouts by domain, of the completions read so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.schema import OUR_FAILURES
from rlcs.insight.series import stretch

OUTCOMES = (
    *("correct", "partial", "wrong", "no_answer", "unparseable"),
    *("bad_reference", "timeout", "error"),
)


def outcomes(run: Run) -> list[dict[str, Any]]:
    """A row a domain: ``completions``, and the share of each of :data:`OUTCOMES`."""
    shares = ", ".join(
        f"sum(completions) FILTER (outcome = '{name}') / sum(completions) AS {name}"
        for name in OUTCOMES
    )
    return run.store.rows(
        f"SELECT domain, sum(completions)::BIGINT AS completions, {shares} FROM completion_counts "
        "GROUP BY domain ORDER BY completions DESC LIMIT 100"
    )


def latency(run: Run) -> list[dict[str, Any]]:
    """A row a domain: ``p50``, ``p99`` (upper ends of bins that double) and ``max``, in seconds."""
    bins = run.store.rows(
        "SELECT domain, latency_bin AS bin, sum(completions)::BIGINT AS number, "
        "max(max_seconds) AS longest FROM completion_counts WHERE latency_bin IS NOT NULL "
        "GROUP BY ALL ORDER BY domain, bin"
    )
    rows = []
    for domain in dict.fromkeys(row["domain"] for row in bins):
        own = [row for row in bins if row["domain"] == domain]
        counts = np.cumsum([row["number"] for row in own])
        ends = [2.0 ** (row["bin"] + 1) / 1000 for row in own]
        longest = max((row["longest"] or 0.0) for row in own)

        def at(share: float, counts: np.ndarray = counts, ends: list[float] = ends) -> float:
            return ends[int(np.searchsorted(counts, share * counts[-1]))]

        rows.append(
            {
                "domain": domain,
                "completions": int(counts[-1]),
                "p50": min(at(0.5), longest),
                "p99": min(at(0.99), longest),
                "max": longest,
            }
        )
    return rows


def failures(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P] and for each domain the share [P] of completions that we failed to judge."""
    width = stretch(run, 200)
    listed = ", ".join(f"'{name}'" for name in OUR_FAILURES)
    rows = run.store.columns(
        "SELECT (step - 1) // ? AS stretch, domain, "
        f"coalesce(sum(completions) FILTER (outcome IN ({listed})), 0) / sum(completions) AS share "
        "FROM completion_counts GROUP BY ALL ORDER BY stretch",
        [width],
    )
    places = np.unique(rows["stretch"])
    found: dict[str, np.ndarray] = {"step": places * width + (width + 1) / 2}
    for at, domain, share in zip(rows["stretch"], rows["domain"], rows["share"], strict=True):
        line = found.setdefault(f"domain/{domain}", np.full(len(places), np.nan))
        line[np.searchsorted(places, at)] = share
    return found
