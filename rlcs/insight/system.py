"""System: where time went, staleness, padding, and the faults that were survived."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.series import series

PARTS = ("rollout", "rollout_idle", "wait", "learn", "publish")


def course(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P]; seconds of each part of a step; ``idle``, the share of the rollout in which
    an engine waited; ``stale_mean`` and ``stale_max`` in versions; ``no_loss``, the share of the
    tokens the learner worked on that carry no loss: prompts and padding."""
    names = [f"seconds/{part}" for part in PARTS]
    more = ["staleness/mean", "staleness/max", "learner/num_loss_tokens", "tokens_per_second"]
    found = series(run, [*names, *more, "learner/num_padded_tokens"])
    result = {"step": found["step"]}
    for part in PARTS:
        if f"seconds/{part}" in found:
            result[part] = found[f"seconds/{part}"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if "rollout_idle" in result and "rollout" in result:
            result["idle"] = result["rollout_idle"] / result["rollout"]
        if "learner/num_padded_tokens" in found and "learner/num_loss_tokens" in found:
            all_tokens, useful = (
                found["learner/num_padded_tokens"],
                found["learner/num_loss_tokens"],
            )
            result["no_loss"] = 1 - useful / all_tokens
    for name, key in (("staleness/mean", "stale_mean"), ("staleness/max", "stale_max")):
        if name in found:
            result[key] = found[name]
    return result


def faults(run: Run) -> list[dict[str, Any]]:
    """A row a fault that was survived, the newest first: ``time`` (Unix), ``what``, ``detail``,
    ``node`` and ``remedy``, as texts."""
    rows = run.json_lines("log/faults.jsonl")[-500:]
    return [
        {
            "time": row.get("time") if isinstance(row.get("time"), int | float) else None,
            **{key: str(row.get(key, ""))[:2000] for key in ("what", "detail", "node", "remedy")},
        }
        for row in rows[::-1]
    ]
