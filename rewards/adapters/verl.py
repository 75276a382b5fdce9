"""verl's custom reward: ``custom_reward_function.path=…/rewards/adapters/verl.py``, name
``compute_score``. verl calls ``compute_score(data_source, solution_str, ground_truth,
extra_info)`` from many workers and takes a number or a dictionary with "score".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from rewards.pool.pool import VerifierPool
from rewards.registry import domains
from rewards.verdict import Request


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Judge one solution.

    The domain is ``extra_info["domain"]``, or ``data_source`` when that is one, or math. verl has
    no "no reward": where we failed, "score" is 0 and "failed" is 1, for the trainer to mask.
    """
    extra = extra_info or {}
    domain = extra.get("domain") or (data_source if data_source in domains() else "math")
    request = Request(
        domain=domain,
        response=solution_str,
        reference=ground_truth,
        question=extra.get("question"),
    )
    pool = _pool(os.getpid())
    (verdict,) = pool.judge([request])
    return {
        "score": verdict.score,
        "acc": float(pool.passed(domain, verdict)),
        "outcome": verdict.outcome.value,
        "failed": int(verdict.ours_failed),
    }


@cache
def _pool(process_id: int) -> VerifierPool:
    """One pool for each of verl's processes (a forked one must not share pipes)."""
    return VerifierPool(2)
