"""A step's groups between being collected and being learned from."""

from __future__ import annotations

from dataclasses import dataclass

from curricula import Fate
from rlcs.types import RolloutGroup


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """What one step drew, and what became of it."""

    step: int
    drawn: list[RolloutGroup]
    """Rolled out for this step."""
    candidates: list[RolloutGroup]
    """Those and the groups carried over from the step before."""
    fates: dict[str, Fate]
    """By problem id, of every candidate."""
    curriculum: dict[str, float]
    """The curriculum's numbers after the selection."""
    seconds: dict[str, float]
    """Spent on collecting it, by part."""

    def with_fate(self, fate: Fate) -> list[RolloutGroup]:
        """The candidates of this fate, in their order."""
        return [group for group in self.candidates if self.fates[group.problem.problem_id] is fate]
