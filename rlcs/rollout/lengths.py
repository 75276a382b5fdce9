"""How long the completions of a problem will be, by how long they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PROBLEM_WEIGHT, SHARED_WEIGHT = 0.5, 0.1
"""Of the newest group in a running mean: lengths drift as the policy learns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LengthState:
    """What a :class:`LengthHistory` knows: mean lengths in tokens."""

    problems: dict[str, float] = field(default_factory=dict)
    categories: dict[str, float] = field(default_factory=dict)
    overall: float | None = None


class LengthHistory:
    """Running mean lengths, in tokens, by problem and by category."""

    def __init__(self, state: LengthState | None = None) -> None:
        """Empty, or going on from :meth:`state`."""
        state = state or LengthState()
        self._problems = dict(state.problems)
        self._categories = dict(state.categories)
        self._overall = state.overall

    def expected(self, problem_id: str, category: str) -> float | None:
        """The mean length to expect; None before anything was observed."""
        known = self._problems.get(problem_id)
        return self._categories.get(category, self._overall) if known is None else known

    def observe(self, problem_id: str, category: str, lengths: Sequence[int]) -> None:
        """Learn from the ``lengths`` [G] of a group."""
        mean = sum(lengths) / len(lengths)
        self._problems[problem_id] = _blend(self._problems.get(problem_id), mean, PROBLEM_WEIGHT)
        self._categories[category] = _blend(self._categories.get(category), mean, SHARED_WEIGHT)
        self._overall = _blend(self._overall, mean, SHARED_WEIGHT)

    def state(self) -> LengthState:
        """Everything needed to go on exactly."""
        return LengthState(
            problems=dict(self._problems),
            categories=dict(self._categories),
            overall=self._overall,
        )


def _blend(before: float | None, mean: float, weight: float) -> float:
    return mean if before is None else (1 - weight) * before + weight * mean
