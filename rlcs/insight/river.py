"""River: the pool of problems by pass rate over the steps, and what was drawn from it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.series import series, shares, stretch


def tiers(run: Run) -> list[str]:
    """The run's tiers from the easiest to the hardest, as its log names them."""
    row = run.store.value("SELECT row FROM steps ORDER BY step DESC LIMIT 1")
    numbers = json.loads(row).get("curriculum") if row else None
    names = numbers if isinstance(numbers, dict) else {}
    return [name.removeprefix("tier/") for name in names if name.startswith("tier/")]


def pool(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P] and for each tier the share [P] of all problems that is in it."""
    names = tiers(run)
    found = series(run, [f"curriculum/tier/{name}" for name in names])
    return {
        "step": found["step"],
        **{
            name: found[f"curriculum/tier/{name}"]
            for name in names
            if f"curriculum/tier/{name}" in found
        },
    }


def drawn(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P] and for each tier the share [P] of the draws that were in it then."""
    width, names = stretch(run, 200), tiers(run)
    rows = run.store.columns(
        "SELECT (step - 1) // ? AS stretch, tier, count(*) AS draws FROM visits GROUP BY ALL",
        [width],
    )
    return shares(rows["stretch"], rows["tier"], rows["draws"], names=names, width=width)


def flow(run: Run, *, first: int = 0) -> list[dict[str, Any]]:
    """Between one draw of a problem and its next, from ``first`` on: a row a pair of tiers.

    ``before``, ``after`` and ``draws``, the number of draws.
    """
    return run.store.rows(
        "SELECT tier_before AS before, tier AS after, count(*) AS draws FROM visits "
        "WHERE tier_before IS NOT NULL AND step >= ? GROUP BY ALL ORDER BY draws DESC LIMIT 100",
        [first],
    )


def coverage(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P]; ``seen``, the share of all problems that was ever drawn; ``again``, the share
    of draws whose problem was drawn before; ``solved`` and ``hopeless``, the number retired."""
    width = stretch(run, 200)
    rows = run.store.columns(
        "SELECT (step - 1) // ? AS stretch, "
        "avg(CASE WHEN visit > 1 THEN 1.0 ELSE 0.0 END) AS again "
        "FROM visits GROUP BY ALL ORDER BY stretch",
        [width],
    )
    logged = series(run, ["curriculum/unseen", "curriculum/solved", "curriculum/hopeless"])
    found = {"step": logged["step"]}
    if "curriculum/unseen" in logged:
        found["seen"] = 1 - logged["curriculum/unseen"]
    for name in ("solved", "hopeless"):
        if f"curriculum/{name}" in logged:
            found[name] = logged[f"curriculum/{name}"]
    found["again_step"] = rows["stretch"] * width + (width + 1) / 2
    found["again"] = rows["again"]
    return found


def by_category(run: Run) -> list[dict[str, Any]]:
    """A row a category, the most drawn first.

    ``problems`` (known of it), ``seen`` (ever drawn), ``draws``, ``share`` (of all draws),
    ``early`` and ``late``: the pass rate in the first and in the last fifth of the steps.
    """
    last = run.store.value("SELECT max(step) FROM steps") or 0
    return run.store.rows(
        "WITH draws AS (SELECT domain, category, count(*) AS draws, "
        "  sum(passes) FILTER (step <= ?) / nullif(sum(attempts) FILTER (step <= ?), 0) AS early, "
        "  sum(passes) FILTER (step > ?) / nullif(sum(attempts) FILTER (step > ?), 0) AS late "
        "  FROM visits GROUP BY ALL), "
        "known AS (SELECT domain, category, count(*) AS problems, "
        "  count(*) FILTER (draws > 0) AS seen FROM problem_summary GROUP BY ALL) "
        "SELECT domain, category, problems, seen, draws, "
        "  draws / sum(draws) OVER () AS share, early, late "
        "FROM known FULL JOIN draws USING (domain, category) "
        "ORDER BY draws DESC NULLS LAST LIMIT 200",
        [last // 5, last // 5, last - last // 5, last - last // 5],
    )
