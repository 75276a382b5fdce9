"""What happens when an actor fails: it is replaced, and its work is handed out again.

Every failure is named once, as a :class:`~rlcs.cluster.faults.Fault` for the user and the log.
What cannot be mended by trying again is raised.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.fetch import free_resources, is_death, is_traceback
from rlcs.cluster.stacks import stack_of
from rlcs.config import FaultsSection
from rlcs.errors import EngineError, LostProcessError, RlcsError, StoreFullError, first_line
from rlcs.rollout.published import Published
from rlcs.rollout.slots import Slot, Task, TaskKind
from rlcs.rollout.work import Work
from rlcs.rollout.work_items import WorkItem

SLOT_ATTEMPTS = 3
"""Actors in a row that may fail in one slot before it is given up until the next version."""

ROOM_SECONDS = 2.0
"""After which a store that was full may have room again."""


class Mender:
    """Replaces actors that fail, and gives slots up where that does not help."""

    def __init__(
        self,
        slots: Sequence[Slot],
        published: Published,
        *,
        limits: FaultsSection,
        on_fault: FaultListener,
    ) -> None:
        self.limits = limits
        self.num_replaced = 0
        """Actors replaced so far."""
        self._slots = slots
        self._published = published
        self._on_fault = on_fault
        self._last_error: Exception | None = None
        """Why the last actor was lost."""

    def mend(self, slot: Slot, task: Task, error: Exception, work: Work, *, first: bool) -> None:
        """Deal with ``error``, by which the actor of ``slot`` ended ``task``.

        An actor that refuses weights is kept until :meth:`judge_refusals` knows who is wrong.

        Raises:
            EngineError: there is no point in trying again, or this is the ``first`` start of the
                actors, of which nothing is mended.
        """
        if isinstance(error, StoreFullError) and task.kind is TaskKind.GENERATE:
            self._wait_for_room(slot, work, error)
        elif task.kind is TaskKind.LOAD and isinstance(error, LostProcessError):
            if task.version == self._published.version:  # otherwise the next has come meanwhile
                raise error  # the learner is lost: the actor waited for it
        elif task.kind is TaskKind.LOAD and isinstance(error, RlcsError):
            slot.refusals.append(error)
        else:
            self._replace(slot, task, error, work, first=first)

    def judge_refusals(self, work: Work) -> None:
        """Weights that every actor refuses are wrong; an actor that alone refuses them is.

        Raises:
            EngineError: what the actors say of weights that none of them takes.
        """
        refusing = [slot for slot in self._slots if slot.refuses]
        if any(slot.version == self._published.version for slot in self._slots):
            load = Task(kind=TaskKind.LOAD, reference=None, allowed_seconds=0)
            for slot in refusing:
                self._replace(slot, load, slot.refusals[-1], work, first=False)
        elif refusing and all(slot.refuses or slot.given_up_at is not None for slot in self._slots):
            for slot in refusing:
                slot.refusals, error = [], slot.refusals[0]
            raise error

    def refill(self) -> None:
        """Start actors again in slots that were given up before the newest version came."""
        for slot in self._slots:
            if slot.given_up_at is not None and slot.given_up_at != self._published.version:
                slot.refill()

    def drop_work(self) -> None:
        """Replace the actors that work: after an error nobody waits for what they generate."""
        for slot in self._slots:
            if slot.lose_work():
                slot.kill()
                slot.start()

    def nobody_left(self) -> Exception:
        """The error to raise where no actor does anything, and none can."""
        if any(slot.lost_weights and slot.free for slot in self._slots):
            return EngineError(
                f"expected engines that serve version {self._published.version}, found that they "
                "let it go when they slept, and that it lies nowhere. Publish a version before "
                "generating."
            )
        error = self._last_error or EngineError("expected rollout actors, found none.")
        if not self._published.out_of_reach:
            return error
        return LostProcessError(
            "no rollout actor is left, and a new one cannot be given version "
            f"{self._published.version}, whose weights went from GPU to GPU: {error}"
        )

    def _take_back(self, items: Sequence[WorkItem], work: Work) -> bool:
        """Hand lost items out again; whether one of them was lost too often."""
        losses = [work.take_back(item) for item in reversed(items)]
        return max(losses, default=0) >= self.limits.attempts

    def _wait_for_room(self, slot: Slot, work: Work, error: StoreFullError) -> None:
        """The actor is well, but what it sampled found no room: it is sampled again."""
        lost = slot.drop_work()
        if self._take_back(lost, work):
            raise error
        fault = Fault(
            what="completions were lost:",
            detail=str(error),
            problem_ids=_problems_of(lost),
            remedy="They are sampled again.",
        )
        self._on_fault(fault)
        time.sleep(ROOM_SECONDS)

    def _replace(
        self, slot: Slot, task: Task, error: Exception, work: Work, *, first: bool
    ) -> None:
        """Replace the actor of ``slot`` and hand its work out again."""
        lost = slot.lose_work()
        fault = fault_of(slot, task, error, lost)
        self._last_error = error_of(error, fault)
        slot.kill()
        if first:
            if is_death(error):
                raise LostProcessError(str(self._last_error))
            raise self._last_error
        work.waiting.keep_shares = False  # whoever is well works for the one that is missing
        if self._take_back(lost, work):
            self._on_fault(dataclasses.replace(fault, remedy="It was tried often enough."))
            slot.start()
            raise self._last_error
        slot.failures += 1
        if slot.failures >= SLOT_ATTEMPTS or self._published.out_of_reach:
            slot.give_up(self._published.version)
        else:
            self.num_replaced += 1
            slot.start()
        self._on_fault(fault)


def _problems_of(items: Sequence[WorkItem]) -> tuple[str, ...]:
    """Each problem once."""
    return tuple(dict.fromkeys(name for item in items for name in item.problem_ids))


def fault_of(slot: Slot, task: Task, error: Exception, lost: Sequence[WorkItem]) -> Fault:
    """What is told of ``error``, by which the actor of ``slot`` ended ``task``.

    ``lost`` is the work that it held.
    """
    stalled = isinstance(error, TimeoutError)
    location = slot.location()
    return Fault(
        what=f"{slot.name} "
        + (
            "stopped answering"
            if stalled
            else "died"
            if is_death(error)
            else f"failed to {task.kind}"
        )
        + ":",
        detail=first_line(error)
        + ("" if location else f" It never came up; the cluster has free {free_resources()}."),
        problem_ids=_problems_of(lost),
        node=location.host if location else "",
        pid=location.pid if location else None,
        stack=stack_of(location) if stalled and location else "",
        remedy="It is replaced, and its problems are handed out again."
        if lost
        else "It is replaced.",
    )


def error_of(error: Exception, fault: Fault) -> Exception:
    """What the user is told when the fault cannot be mended."""
    if isinstance(error, RlcsError) or is_traceback(error):
        return error  # says it itself; of a bug, the traceback is what helps
    remedy = (
        "This cannot be mended by trying again. A training run can go on from its last checkpoint "
        "(rlcs train --resume RUN), a grading by the same call. If the machine ran out of memory, "
        "it needs more, or a new run a lower rollout.batch_tokens."
    )
    return EngineError(str(dataclasses.replace(fault, remedy=remedy)))
