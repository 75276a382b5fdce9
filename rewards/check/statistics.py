"""Counting verdicts, agreement and latency, with intervals that hold for small counts."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_Z = 1.959963984540054  # 95 %
_MAX_SECONDS_KEPT = 50_000


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927); (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share, z2 = successes / trials, _Z * _Z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = (
        _Z
        / (1 + z2 / trials)
        * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    )
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass
class Tally:
    """Counts of one group of rows (a domain, or a check within a domain).

    seconds: of a uniform sample of the rows (Vitter 1985, algorithm R), so that memory is bounded.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    agreed: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    other_scores: int = 0
    seconds: list[float] = field(default_factory=list)
    max_seconds: float = 0.0
    _generator: random.Random = field(default_factory=lambda: random.Random(0))

    def add(self, row: dict[str, Any]) -> None:
        """Count one row of verdicts."""
        self.outcomes[row["outcome"]] += 1
        self._time(row["seconds"])
        if row.get("expected") is None:
            return
        self.judged += 1
        if row["agrees"]:
            self.agreed += 1
        elif not isinstance(row["expected"], bool):
            self.other_scores += 1
        elif row["passed"]:
            self.false_positives += 1
        else:
            self.false_negatives += 1

    def _time(self, seconds: float) -> None:
        self.max_seconds = max(self.max_seconds, seconds)
        if len(self.seconds) < _MAX_SECONDS_KEPT:
            self.seconds.append(seconds)
            return
        index = self._generator.randrange(sum(self.outcomes.values()))
        if index < _MAX_SECONDS_KEPT:
            self.seconds[index] = seconds

    def percentile(self, share: float) -> float:
        """Return the seconds within which ``share`` of the checks were done."""
        if not self.seconds:
            return 0.0
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    def summary(self) -> dict[str, Any]:
        """Return the counts as an object for JSON."""
        low, high = wilson_interval(self.agreed, self.judged)
        return {
            "rows": sum(self.outcomes.values()),
            "outcomes": dict(sorted(self.outcomes.items())),
            "with_expectation": self.judged,
            "agreed": self.agreed,
            "agreement": self.agreed / self.judged if self.judged else None,
            "agreement_interval_95": [low, high] if self.judged else None,
            "false_positives": self.false_positives,
            "false_negatives": self.false_negatives,
            "other_scores": self.other_scores,
            "p50_seconds": self.percentile(0.5),
            "p99_seconds": self.percentile(0.99),
            "max_seconds": self.max_seconds,
        }
