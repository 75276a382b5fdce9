"""How fast the actors of a pool are: what is allowed for their work, and how they were used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rlcs.config import FaultsSection
from rlcs.rollout.slots import Slot
from rlcs.rollout.work_items import WorkItem

SLOWEST = 10
"""An actor this many times slower than those before it has stopped answering."""


class Pace:
    """How fast actors were so far, and how long the next work may take."""

    def __init__(self, limits: FaultsSection) -> None:
        self._limits = limits
        self._tokens_per_second = 0.0
        """Running mean over the times that an actor worked without a break."""

    def allowed_seconds(self, items: Sequence[WorkItem]) -> float:
        """For the longest row at the least speed, and for all rows at a tenth of the usual one."""
        slowest = self._limits.min_tokens_per_second
        rate = max(slowest, self._tokens_per_second / SLOWEST)
        # A row alone is slower than a batch, and may take its whole budget.
        longest = max(item.sampling.max_sampled_tokens for item in items) / slowest
        expected = sum(item.expected_tokens for item in items)
        return self._limits.grace_seconds + longest + expected / rate

    def note(self, num_tokens: int, seconds: float) -> None:
        """Learn from an actor that sampled ``num_tokens`` without a break in between."""
        speed = num_tokens / max(1e-3, seconds)
        self._tokens_per_second = 0.9 * (self._tokens_per_second or speed) + 0.1 * speed


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How a pool used its actors in one call of ``generate``."""

    seconds: float
    idle_share: float
    """Share of all actors' time, in [0, 1], between their last work and the end of the call."""
    num_work_items: int

    @classmethod
    def since(cls, began: float, slots: Sequence[Slot], *, num_work_items: int) -> Timing:
        """From ``began`` (of the monotonic clock) until now."""
        end = time.monotonic()
        idle = [
            end - max(began, slot.free_since) if slot.task is None else end - began
            for slot in slots
        ]
        return cls(
            seconds=end - began,
            idle_share=sum(idle) / (len(idle) * max(1e-9, end - began)),
            num_work_items=num_work_items,
        )

    @property
    def idle_seconds(self) -> float:
        """Idle time in seconds, mean over the actors."""
        return self.idle_share * self.seconds
