"""How fast the actors of a pool are: what is allowed for their work, and how they were used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rlcs.config import FaultsSection
from rlcs.rollout.slots import Slot, Task
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Completion

SLOWEST = 10
"""An actor this many times slower than those before it has stopped answering."""


class Pace:
    """How fast actors were so far, and how long the next work item may take."""

    def __init__(self, limits: FaultsSection) -> None:
        self._limits = limits
        self._tokens_per_second = 0.0
        """Running mean over work items."""

    def allowed_seconds(self, item: WorkItem) -> float:
        """For the longest row at the least speed, and for all rows at a tenth of the usual one."""
        slowest = self._limits.min_tokens_per_second
        rate = max(slowest, self._tokens_per_second / SLOWEST)
        # A row alone is slower than a batch, and may take its whole budget.
        longest = item.sampling.max_sampled_tokens / slowest
        return self._limits.grace_seconds + longest + item.expected_tokens / rate

    def note(self, task: Task, groups: Sequence[tuple[Completion, ...]]) -> None:
        """Learn from a ``task`` that was answered just now by ``groups``."""
        tokens = sum(len(completion.token_ids) for group in groups for completion in group)
        speed = tokens / max(1e-3, time.monotonic() - task.began)
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
