"""The numbers of a step: its row of ``steps.jsonl``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rlcs.run.batch import Batch
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
        self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Add ``seconds``, measured elsewhere, to ``name``."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def total_seconds(self) -> float:
        """The seconds since the stopwatch was made."""
        return time.perf_counter() - self._started


def step_row(
    batch: Batch,
    *,
    trained: Sequence[RolloutGroup],
    version_before: int,
    version_after: int,
    reports: Sequence[StepReport],
    watch: Stopwatch,
) -> dict[str, Any]:
    """The row of a step: ``time`` is Unix time, shares are in [0, 1], None where none is known.

    ``version_before`` is the version that learned from ``trained``, ``version_after`` what
    came of it.
    """
    drawn = batch.drawn
    completions = [completion for group in drawn for completion in group.completions]
    rewards = np.concatenate([group.rewards for group in drawn]) if drawn else np.array([])
    graded = rewards[~np.isnan(rewards)]
    num_passed = sum(int(group.passed.sum()) for group in drawn)
    num_tokens = sum(group.num_tokens for group in drawn)
    seconds = watch.total_seconds()
    return {
        "step": batch.step,
        "policy_version": version_after,
        "time": time.time(),
        "seconds": {**batch.seconds, **watch.seconds, "step": seconds},
        "groups": {fate.value: count for fate, count in Counter(batch.fates.values()).items()},
        "completions": len(completions),
        "tokens": num_tokens,
        "tokens_per_second": num_tokens / seconds,
        "pass_rate": num_passed / len(graded) if len(graded) else None,
        "reward": float(graded.mean()) if len(graded) else None,
        "errors": int(np.isnan(rewards).sum()),
        "truncated": _share(c.finish_reason is FinishReason.LENGTH for c in completions),
        "forced": _share(c.forced for c in completions),
        "staleness": _staleness(trained, version_before),
        "learner": _learner_numbers(reports),
        "curriculum": batch.curriculum,
        "passes_by_category": _pass_rates(drawn),
    }


def _staleness(trained: Sequence[RolloutGroup], version: int) -> dict[str, float]:
    """Versions between the policy that sampled a token and the one that learned from it."""
    if not trained:
        return {}
    versions = np.concatenate(
        [completion.token_versions for group in trained for completion in group.completions]
    )
    return {"mean": version - float(versions.mean()), "max": version - int(versions.min())}


def _learner_numbers(reports: Sequence[StepReport]) -> dict[str, float]:
    """Means over the step's updates that were made; token and sample counts are summed."""
    if not reports:
        return {}
    num_skipped = sum(report.skipped for report in reports)
    reports = [report for report in reports if not report.skipped]
    if not reports:
        return {"num_skipped": num_skipped}
    means = (
        *("loss", "grad_norm", "learning_rate", "clip_fraction", "mean_abs_log_ratio"),
        *("mismatch", "corrected_fraction", "entropy"),
    )
    sums = ("num_samples", "num_loss_tokens", "num_padded_tokens")
    return {
        **{name: float(np.mean([getattr(report, name) for report in reports])) for name in means},
        **{name: sum(getattr(report, name) for report in reports) for name in sums},
        "num_skipped": num_skipped,
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
