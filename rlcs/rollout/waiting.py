"""The work items that no actor has, and who may have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rlcs.rollout.work_items import WorkItem


class Waiting:
    """Work items that no actor has, in the order in which they are handed out.

    An actor gets what was dealt to it. When nothing of that is left it may take over from the actor
    that has most left, so that all end together, unless ``keep_shares``: then which rows share a
    batch depends on the requests alone, and a resumed run repeats it to the bit.
    """

    def __init__(self, items: Sequence[WorkItem] = (), *, keep_shares: bool = False) -> None:
        self.keep_shares = keep_shares
        """Whether nobody takes over what was dealt to another."""
        self._dealt: dict[int | None, deque[WorkItem]] = {None: deque()}
        """Actor → its items; None → those that any may have."""
        for item in items:
            self._dealt.setdefault(item.share, deque()).append(item)

    def has_for(self, actor: int) -> bool:
        """Whether there is an item that an actor may have."""
        return bool(self._own(actor) or self._of_another())

    def take(self, actor: int) -> WorkItem | None:
        """Take out the next item of an actor's own; None where there is none."""
        own = self._own(actor)
        return own.popleft() if own else None

    def take_over(self) -> WorkItem | None:
        """Take out an item of the actor that has most; None where there is none to be had."""
        other = self._of_another()
        return other.popleft() if other else None

    def put_first(self, items: Sequence[WorkItem]) -> None:
        """Have ``items`` handed out before all others of their share, in their order."""
        for item in reversed(items):
            self._dealt.setdefault(item.share, deque()).appendleft(item)

    def give_to_anyone(self, item: WorkItem) -> None:
        """Have an item handed out before all others, to whoever has room first."""
        self._dealt[None].appendleft(item)

    def _own(self, actor: int) -> deque[WorkItem]:
        return self._dealt[None] or self._dealt.get(actor, deque())

    def _of_another(self) -> deque[WorkItem]:
        return deque() if self.keep_shares else max(self._dealt.values(), key=len)
