"""A step in numbers: its row of ``steps.jsonl``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from curricula import Fate
from rlcs.types import FinishReason, RolloutGroup, StepReport


class Stopwatch:
    """Seconds spent in the named parts of a step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time within the context to ``name``."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def total_seconds(self) -> float:
        """Since the stopwatch was made."""
        return time.perf_counter() - self._started


def step_row(
    *,
    step: int,
    policy_version: int,
    drawn: Sequence[RolloutGroup],
    fates: dict[str, Fate],
    reports: Sequence[StepReport],
    curriculum: dict[str, float],
    watch: Stopwatch,
) -> dict[str, Any]:
    """The row; ``time`` is Unix time, shares are in [0, 1] and None where nothing was measured."""
    completions = [completion for group in drawn for completion in group.completions]
    rewards = np.concatenate([group.rewards for group in drawn]) if drawn else np.array([])
    graded = rewards[~np.isnan(rewards)]
    num_passed = sum(int(group.passed.sum()) for group in drawn)
    num_tokens = sum(group.num_tokens for group in drawn)
    seconds = watch.total_seconds()
    return {
        "step": step,
        "policy_version": policy_version,
        "time": time.time(),
        "seconds": {**watch.seconds, "step": seconds},
        "groups": {fate.value: count for fate, count in Counter(fates.values()).items()},
        "completions": len(completions),
        "tokens": num_tokens,
        "tokens_per_second": num_tokens / seconds,
        "pass_rate": num_passed / len(graded) if len(graded) else None,
        "reward": float(graded.mean()) if len(graded) else None,
        "errors": int(np.isnan(rewards).sum()),
        "truncated": _share(c.finish_reason is FinishReason.LENGTH for c in completions),
        "forced": _share(c.forced for c in completions),
        "learner": _learner_numbers(reports),
        "curriculum": curriculum,
        "passes_by_category": _pass_rates(drawn),
    }


def _learner_numbers(reports: Sequence[StepReport]) -> dict[str, float]:
    """Means over the step's updates; token and sample counts are summed."""
    if not reports:
        return {}
    means = ("loss", "grad_norm", "learning_rate", "clip_fraction", "mean_abs_log_ratio", "entropy")
    sums = ("num_samples", "num_loss_tokens", "num_padded_tokens")
    return {
        **{name: float(np.mean([getattr(report, name) for report in reports])) for name in means},
        **{name: sum(getattr(report, name) for report in reports) for name in sums},
    }


def _pass_rates(drawn: Sequence[RolloutGroup]) -> dict[str, float]:
    passes: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    for group in drawn:
        passes[group.problem.category] += int(group.passed.sum())
        attempts[group.problem.category] += int(group.graded.sum())
    return {name: passes[name] / number for name, number in sorted(attempts.items()) if number}


def _share(flags: Iterator[bool]) -> float | None:
    values = list(flags)
    return sum(values) / len(values) if values else None
