"""A step's groups between being collected and being learned from."""

from __future__ import annotations

from dataclasses import dataclass

from curricula import Fate
from rlcs.types import RolloutGroup


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """The groups of one step, and what became of each of them."""

    step: int
    drawn: list[RolloutGroup]
    """The groups whose problems were drawn for this step."""
    candidates: list[RolloutGroup]
    """The drawn groups and those carried over from the step before."""
    fates: dict[str, Fate]
    """Problem id → fate, of every candidate."""
    curriculum: dict[str, float]
    """The curriculum's numbers after the selection."""
    seconds: dict[str, float]
    """Seconds spent on collecting the batch, by part."""

    def with_fate(self, fate: Fate) -> list[RolloutGroup]:
        """The candidates whose fate is ``fate``, in their order."""
        return [group for group in self.candidates if self.fates[group.problem.problem_id] is fate]
