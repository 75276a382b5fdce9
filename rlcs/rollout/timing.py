"""How a pool used its actors in one call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rlcs.rollout.slots import Slot


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Of one call of ``generate``."""

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
