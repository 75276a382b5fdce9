"""All rollout actors of a run, driven as one engine that survives the loss of its parts.

An actor that died, stopped answering or failed is replaced in the background; what it was
working on is handed out again. A new actor is brought to the current version before it gets
work, and so is every other: an actor never works under an older version than was published
when its work item was handed out.

One thread at a time drives the actors. :meth:`RolloutPool.publish` and
:meth:`RolloutPool.publish_by` may be called by another thread while
:meth:`RolloutPool.generate` runs: then work items that are being worked on are finished under the
version they were begun with, and all later ones are drawn under the new.

Left out: working on a work item twice to beat a slow actor. It would change nothing but the time,
and the work items at the end of a step are small already.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import ray

from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import FaultsSection
from rlcs.errors import EngineError, LostProcessError, RlcsError, StoreFullError
from rlcs.model.weights import Publication
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.failures import cause_of, error_of, fault_of
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.settings import EngineSettings
from rlcs.rollout.slots import TURNS, Asked, Slot, Task
from rlcs.rollout.timing import Timing
from rlcs.rollout.work import Work
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Completion

PLACE_ATTEMPTS = 3
"""Actors in a row that may fail in one place before it is given up until the next version."""

SLOWEST = 10
"""An actor this many times slower than those before it has stopped answering."""

ROOM_SECONDS = 2.0
"""After which a store that was full may have room again."""

LOOK_SECONDS = 1.0
"""How often a thread that waits for actors looks up."""


def print_fault(fault: Fault) -> None:
    """The listener of a pool that is given none."""
    print(f"rlcs: {fault}", file=sys.stderr)


class RolloutPool:
    """All rollout actors of a run."""

    def __init__(
        self,
        settings: EngineSettings,
        *,
        num_actors: int,
        plan: ProcessPlan,
        faults: FaultsSection | None = None,
        on_fault: FaultListener = print_fault,
        segmenter: Segmenter | None = None,
    ) -> None:
        """Start the actors at once; :meth:`wait_until_ready` waits for them."""
        self.faults = faults or FaultsSection()
        self.on_fault = on_fault
        self.segmenter = segmenter
        self._rows_at_once = settings.rows_at_once
        self.slots = [
            Slot(number, settings, plan, start_seconds=self.faults.start_seconds)
            for number in range(num_actors)
        ]
        self.timing = Timing(seconds=0.0, idle_share=0.0, num_work_items=0)
        """Of the last call of :meth:`generate`."""
        self.num_replaced = 0
        """Actors replaced since the pool was made."""
        self._published: tuple[int, Publication | None] = (0, None)
        """The newest version and its weights, for actors that do not serve it yet."""
        self._error: Exception | None = None
        """Why the last actor was lost."""
        self._turn = threading.Condition(threading.Lock())
        """Held by the thread that drives the actors."""
        self._rest_wanted = False
        """Whether another thread waits for the turn, and for actors that do nothing."""
        self._stopped = threading.Event()
        self._tokens_per_second = 0.0
        """Running mean over work items."""

    @property
    def version(self) -> int:
        """The newest version published."""
        return self._published[0]

    @property
    def actors(self) -> list[Any]:
        """The actors that now fill the places, ready or not."""
        return [slot.actor for slot in self.slots]

    def wait_until_ready(self) -> None:
        """Returns when every engine has loaded its model; the first failure is raised."""
        with self._turn:
            self._drive(_no_work(), self._all_ready, first=True)

    def publish(self, version: int, weights: Publication) -> None:
        """Make every engine serve ``version``.

        Raises:
            EngineError: no engine took the weights. Those that did not are replaced.
        """
        self._published = (version, weights)
        if self._turn.acquire(blocking=False):
            try:
                self._drive(_no_work(), self._all_current)
            finally:
                self._turn.release()

    def publish_by(self, version: int, send: Callable[[Sequence[Any]], Publication]) -> None:
        """Publish what ``send`` brings to the actors by itself, while none of them works.

        ``send`` gets those that are ready, all of them awake, and returns the publication: with the
        weights in it unless every actor of the pool has got them.

        Raises:
            EngineError: no engine took the weights.
        """
        self._rest_wanted = True
        with self._turn:
            self._rest_wanted = False
            try:
                self._turn_slots(asleep=False)
                ready = [slot for slot in self.slots if slot.idle]
                self._published = (version, send([slot.actor for slot in ready]))
                for slot in ready:
                    self._load(slot)
                self._drive(_no_work(), self._all_current)
            finally:
                self._turn.notify_all()

    def sleep(self) -> None:
        """Have engines leave their GPUs to the ranks; they wake when they are needed."""
        with self._turn:
            self._drive(_no_work(), self._all_ready)  # also those that were just replaced
            self._turn_slots(asleep=True)

    def _turn_slots(self, *, asleep: bool) -> None:
        for slot in self.slots:
            if slot.idle and slot.asleep is not asleep:
                slot.turn(asleep=asleep, allowed_seconds=self.faults.transfer_seconds)
        self._drive(_no_work(), self._none_turns)

    def forget_weights(self) -> None:
        """Give up the published weights to make room; the next version must be published."""
        self._published = (self.version, None)

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """The groups in the order of ``requests``.

        Raises:
            EngineError: a work item was lost ``faults.attempts`` times, or no actor is left; the
                message names the problems.
        """
        with self._turn:
            work = Work(
                requests,
                sampling,
                num_actors=len(self.slots),
                rows_at_once=self._rows_at_once,
                segmenter=self.segmenter,
            )
            began = time.monotonic()
            self._drive(work, lambda: work.done)
            self.timing = Timing.since(began, self.slots, num_work_items=work.num_work_items)
            return work.results()

    def stop(self) -> None:
        """Make a thread that is in :meth:`generate` give up, with an error, within seconds."""
        self._stopped.set()

    def _drive(self, work: Work, until: Callable[[], bool], *, first: bool = False) -> None:
        """Hand out work and take answers until ``until`` says so.

        ``first`` raises whatever goes wrong: a model that cannot be loaded is no fault to mend.
        """
        try:
            while True:
                self._judge_refusals(work)
                if self._rest_wanted and self._at_rest():
                    self._turn.wait_for(lambda: not self._rest_wanted)
                if not self._rest_wanted:
                    self._hand_out(work)
                if until():
                    return
                if self._stopped.is_set():
                    raise EngineError("the rollout actors are being stopped: the run ends.")
                asked = {slot.task.reference: slot for slot in self.slots if slot.task}
                if not asked:
                    raise self._nobody_left()
                deadline = min(slot.task.deadline for slot in asked.values() if slot.task)
                wait_seconds = min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
                answered, _ = ray.wait(list(asked), timeout=wait_seconds)
                for reference in answered:
                    self._take(asked[reference], work, first)
                for slot in self.slots:
                    self._check_deadline(slot, work, first)
        except Exception:
            self._abandon_work()
            raise

    def _hand_out(self, work: Work) -> None:
        """Ask every idle actor for something: the newest weights, or the next work item."""
        version, _ = self._published
        for slot in self.slots:
            if slot.abandoned_at is not None and slot.abandoned_at != version:
                slot.abandoned_at, slot.failures = None, 0
                slot.start()
            if not slot.idle or (slot.version == version and not work.waiting):
                continue
            if slot.asleep:
                slot.turn(asleep=False, allowed_seconds=self.faults.transfer_seconds)
            elif slot.version != version:
                self._load(slot)
            else:
                item = work.waiting.popleft()
                slot.generate(item, allowed_seconds=self._allowed_seconds(item))

    def _load(self, slot: Slot) -> None:
        version, weights = self._published
        slot.load(version, weights, allowed_seconds=self.faults.transfer_seconds)

    def _take(self, slot: Slot, work: Work, first: bool) -> None:
        """Take an actor's answer, or mend what went wrong."""
        task = slot.end_task()
        try:
            answer = ray.get(task.reference, timeout=self.faults.transfer_seconds)
        except ray.exceptions.RayError as raised:
            error = cause_of(raised)
            if isinstance(error, StoreFullError) and task.work_item:
                self._wait_for_room(task.work_item, work, error)
            elif task.asked is Asked.LOAD and isinstance(error, LostProcessError):
                if task.version == self.version:  # otherwise the next version has come meanwhile
                    raise error from None  # the learner is lost: the actor waited for it
            elif task.asked is Asked.LOAD and isinstance(error, RlcsError):
                slot.refusals.append(error)
            else:
                self._mend(slot, task, work, error, first)
            return
        if task.asked in TURNS:
            slot.asleep = task.asked is Asked.SLEEP
        if task.asked is Asked.LOAD:
            slot.version, slot.refusals = task.version, []
        if task.work_item is not None:
            slot.failures = 0
            self._note_speed(task, answer)
            work.finish(task.work_item, answer)

    def _wait_for_room(self, item: WorkItem, work: Work, error: StoreFullError) -> None:
        """The actor is well, but what it drew found no room: it is drawn again."""
        if work.take_back(item) >= self.faults.attempts:
            raise error
        fault = Fault(
            what="completions were lost:",
            detail=str(error),
            problem_ids=item.problem_ids,
            remedy="They are drawn again.",
        )
        self.on_fault(fault)
        time.sleep(ROOM_SECONDS)

    def _check_deadline(self, slot: Slot, work: Work, first: bool) -> None:
        if slot.task is None or time.monotonic() < slot.task.deadline:
            return
        answered, _ = ray.wait([slot.task.reference], timeout=0)
        if not answered:  # otherwise it was we who came late
            task = slot.end_task()
            late = TimeoutError(
                f"waited {task.allowed_seconds:.0f} s for it to {task.asked}, without an answer."
            )
            self._mend(slot, task, work, late, first)

    def _judge_refusals(self, work: Work) -> None:
        """Weights that every actor refuses are wrong; an actor that alone refuses them is.

        Raises:
            EngineError: what the actors say.
        """
        refusing = [slot for slot in self.slots if slot.refuses]
        if any(slot.version == self.version for slot in self.slots):
            asked = Task(asked=Asked.LOAD, reference=None, allowed_seconds=0)
            for slot in refusing:
                self._mend(slot, asked, work, slot.refusals[-1], first=False)
        elif refusing and all(slot.refuses or slot.abandoned_at is not None for slot in self.slots):
            for slot in refusing:
                slot.refusals, error = [], slot.refusals[0]
            raise error

    def _mend(self, slot: Slot, task: Task, work: Work, error: Exception, first: bool) -> None:
        """Replace the actor of ``slot`` and hand its work out again.

        Raises:
            EngineError: there is no point in trying again.
        """
        fault = fault_of(slot, task, error)
        self._error = error_of(error, fault)
        slot.kill()
        if first:
            if isinstance(error, ray.exceptions.RayActorError):
                raise LostProcessError(str(self._error))
            raise self._error
        if task.work_item and work.take_back(task.work_item) >= self.faults.attempts:
            self.on_fault(dataclasses.replace(fault, remedy="It was tried often enough."))
            slot.start()
            raise self._error
        slot.failures += 1
        if slot.failures >= PLACE_ATTEMPTS or self._out_of_reach():
            slot.abandon(self.version)
        else:
            self.num_replaced += 1
            slot.start()
        self.on_fault(fault)

    def _abandon_work(self) -> None:
        """After an error nobody waits for what is being generated: replace those actors."""
        for slot in self.slots:
            if slot.task and slot.task.work_item:
                slot.end_task()
                slot.kill()
                slot.start()

    def _out_of_reach(self) -> bool:
        """Whether a new actor could not be given the version that is served."""
        version, weights = self._published
        return version > 0 and weights is not None and not weights.buckets

    def _nobody_left(self) -> Exception:
        error = self._error or EngineError("expected rollout actors, found none.")
        if not self._out_of_reach():
            return error
        return LostProcessError(
            f"no rollout actor is left, and a new one cannot be given version {self.version}, "
            f"whose weights went from GPU to GPU: {error}"
        )

    def _at_rest(self) -> bool:
        return all(slot.task is None or _starting(slot) for slot in self.slots)

    def _all_ready(self) -> bool:
        return all(slot.task is None for slot in self.slots)

    def _none_turns(self) -> bool:
        return not any(slot.task and slot.task.asked in TURNS for slot in self.slots)

    def _all_current(self) -> bool:
        version = self._published[0]
        waited_for = [
            slot for slot in self.slots if slot.abandoned_at is None and not _starting(slot)
        ]
        current = [slot for slot in waited_for if slot.idle and slot.version == version]
        return bool(current) and len(current) == len(waited_for)

    def _allowed_seconds(self, item: WorkItem) -> float:
        slowest = self.faults.min_tokens_per_second
        rate = max(slowest, self._tokens_per_second / SLOWEST)
        # A row alone is slower than a batch, and may take its whole budget.
        longest = item.sampling.max_drawn_tokens / slowest
        return self.faults.grace_seconds + longest + item.expected_tokens / rate

    def _note_speed(self, task: Task, groups: Sequence[tuple[Completion, ...]]) -> None:
        tokens = sum(len(completion.token_ids) for group in groups for completion in group)
        speed = tokens / max(1e-3, time.monotonic() - task.began)
        self._tokens_per_second = 0.9 * (self._tokens_per_second or speed) + 0.1 * speed


def _no_work() -> Work:
    sampling = Sampling(temperature=0.0, max_thinking_tokens=0, max_answer_tokens=0)
    return Work([], sampling, num_actors=1, rows_at_once=1, segmenter=None)


def _starting(slot: Slot) -> bool:
    return slot.task is not None and slot.task.asked is Asked.START
