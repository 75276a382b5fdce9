"""The loop that hands out work to the actors and takes their answers, one thread at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from rlcs.activity import doing
from rlcs.cluster.fetch import first_answered, outcome
from rlcs.config import FaultsSection
from rlcs.errors import EngineError
from rlcs.rollout.mending import Mender
from rlcs.rollout.published import Published
from rlcs.rollout.settings import EngineSettings
from rlcs.rollout.slots import Slot, TaskKind
from rlcs.rollout.timing import Pace
from rlcs.rollout.work import Work

LOOK_SECONDS = 1.0
"""How often a thread that waits for actors looks up."""


class DriverLock:
    """Held by the one thread that drives the actors, as a context.

    Another thread can ask it for a pause: then it hands out nothing more, and lets go of the lock
    by :meth:`give_way` as soon as no actor does anything.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.Lock())
        self.pause_wanted = False
        """Whether another thread waits for the lock, and for actors that do nothing."""

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *_: object) -> None:
        self._condition.release()

    @contextlib.contextmanager
    def if_free(self) -> Iterator[bool]:
        """Hold the lock where nobody does; says whether it is held."""
        held = self._condition.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                self._condition.release()

    @contextlib.contextmanager
    def in_a_pause(self) -> Iterator[None]:
        """Hold the lock while no actor works; a thread that drives them goes on afterwards."""
        self.pause_wanted = True
        with self._condition:
            self.pause_wanted = False
            try:
                yield
            finally:
                self._condition.notify_all()

    def give_way(self) -> None:
        """Let the thread that wants a pause have it; returns when it is over."""
        self._condition.wait_for(lambda: not self.pause_wanted)


class Driver:
    """Drives the actors. Who calls it holds its ``lock``, but for :meth:`stop`."""

    def __init__(
        self,
        slots: Sequence[Slot],
        published: Published,
        mender: Mender,
        *,
        limits: FaultsSection,
        settings: EngineSettings,
    ) -> None:
        self.lock = DriverLock()
        self.limits = limits
        self._settings = settings
        self._slots = slots
        self._published = published
        self._mender = mender
        self._pace = Pace(limits)
        self._stopped = threading.Event()

    def finish(self, work: Work) -> None:
        """Have all of ``work`` done."""
        with doing(work.progress) as tell:

            def done() -> bool:
                tell(work.progress)
                return work.done

            self._drive(work, done)

    def settle(self, *, first: bool = False) -> None:
        """Wait until no actor does anything.

        ``first`` raises whatever goes wrong: a model that cannot be loaded is no fault to mend.
        """
        self._drive(
            Work.nothing(), lambda: all(slot.task is None for slot in self._slots), first=first
        )

    def bring_up_to_date(self) -> None:
        """Have every actor that has started serve the newest version."""
        self._drive(Work.nothing(), self._all_current)

    def load(self, slot: Slot) -> None:
        """Have an actor that is idle load the newest version."""
        slot.load(*self._published.newest, allowed_seconds=self.limits.transfer_seconds)

    def sleep(self) -> None:
        """Have the engines that are idle leave their GPUs."""
        for slot in self._slots:
            if slot.idle and not slot.asleep:
                slot.sleep(allowed_seconds=self.limits.transfer_seconds)
        self._drive(Work.nothing(), self._none_on_the_move, hand_out=False)

    def wake(self) -> None:
        """Have the engines that sleep come back, with or without their weights."""
        for slot in self._slots:
            if slot.idle and slot.asleep:
                slot.wake(allowed_seconds=self.limits.transfer_seconds)
        self._drive(Work.nothing(), self._none_on_the_move, hand_out=False)

    def stop(self) -> None:
        """Make the thread that drives give up, with an error, within seconds."""
        self._stopped.set()

    def _drive(
        self,
        work: Work,
        until: Callable[[], bool],
        *,
        first: bool = False,
        hand_out: bool = True,
    ) -> None:
        """Hand out work and take answers until ``until`` says so."""
        try:
            while True:
                self._mender.judge_refusals(work)
                pausing = self.lock.pause_wanted
                if pausing and self._at_rest():
                    self.lock.give_way()
                    pausing = False
                if hand_out:
                    self._hand_out(work, pausing=pausing)
                if until():
                    return
                if self._stopped.is_set():
                    raise EngineError("the rollout actors are being stopped: the run ends.")
                self._take_answers(work, first)
        except Exception:
            self._mender.drop_work()
            raise

    def _hand_out(self, work: Work, *, pausing: bool) -> None:
        """Give every free actor something to do: the newest weights, or the next work items.

        What an actor holds it ends under the version that it was begun with; when ``pausing`` it
        gets nothing else to do.
        """
        if not pausing:
            self._mender.refill()
        ready = []
        for slot in self._slots:
            if not slot.free:
                continue
            current = slot.version == self._published.version
            if current and not pausing and not slot.asleep:
                ready.append(slot)
            elif slot.held:
                self._go_on(slot, num_left=0)
            elif pausing:
                continue
            elif slot.asleep:
                if not current or work.waiting.has_for(slot.number):
                    slot.wake(allowed_seconds=self.limits.transfer_seconds)
            elif self._published.lie_ready or not slot.lost_weights:
                self.load(slot)
        self._hand_out_items(ready, work)

    def _hand_out_items(self, ready: Sequence[Slot], work: Work) -> None:
        """Give actors what was dealt to them, and then to those with room what others have left."""
        waiting = work.waiting
        for slot in ready:
            while self._has_room(slot) and (item := waiting.take(slot.number)):
                slot.take_in(item)
        for slot in ready:
            while self._has_room(slot) and (item := waiting.take_over()):
                slot.take_in(item)
        for slot in ready:
            if slot.held:
                # With more to come it answers as soon as a place is free for it.
                more = work.may_grow or waiting.has_for(slot.number)
                self._go_on(slot, num_left=self._settings.rows_at_once if more else 0)

    def _has_room(self, slot: Slot) -> bool:
        return slot.num_rows < self._settings.rows_held

    def _go_on(self, slot: Slot, *, num_left: int) -> None:
        allowed = self._pace.allowed_seconds(list(slot.held.values()))
        slot.generate(num_left, allowed_seconds=allowed)

    def _take_answers(self, work: Work, first: bool) -> None:
        """Wait for an answer and take it, and look for actors that do not answer any more."""
        pending = {slot.task.reference: slot for slot in self._slots if slot.task}
        if not pending:
            raise self._mender.nobody_left()
        deadline = min(slot.task.deadline for slot in pending.values() if slot.task)
        wait_seconds = min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
        answered = first_answered(list(pending), timeout=wait_seconds)
        if answered is not None:
            self._take(pending[answered], work, first)
        for slot in self._slots:
            self._check_deadline(slot, work, first)

    def _take(self, slot: Slot, work: Work, first: bool) -> None:
        """Take an actor's answer, or have mended what went wrong."""
        task = slot.end_task()
        answer, error = outcome(
            task.reference, result="what an actor sampled", timeout=self.limits.transfer_seconds
        )
        if error is not None:
            self._mender.mend(slot, task, error, work, first=first)
            return
        if task.kind in (TaskKind.SLEEP, TaskKind.WAKE):
            slot.note_sleep(asleep=task.kind is TaskKind.SLEEP)
        if task.kind is TaskKind.LOAD:
            slot.version, slot.refusals = task.version, []
        if task.kind is TaskKind.GENERATE:
            slot.failures = 0
            for item, groups in slot.answer(answer):
                work.finish(item, groups)
            if not slot.held:
                self._pace.note(slot.num_tokens, time.monotonic() - slot.busy_since)

    def _check_deadline(self, slot: Slot, work: Work, first: bool) -> None:
        if slot.task is None or time.monotonic() < slot.task.deadline:
            return
        if first_answered([slot.task.reference], timeout=0) is not None:
            return  # it was we who came late
        task = slot.end_task()
        late = TimeoutError(
            f"waited {task.allowed_seconds:.0f} s for it to {task.kind}, without an answer."
        )
        self._mender.mend(slot, task, late, work, first=first)

    def _at_rest(self) -> bool:
        return all(slot.starting or (slot.task is None and not slot.held) for slot in self._slots)

    def _none_on_the_move(self) -> bool:
        """Whether no engine leaves its GPU or comes back."""
        kinds = {slot.task.kind for slot in self._slots if slot.task}
        return not kinds & {TaskKind.SLEEP, TaskKind.WAKE}

    def _all_current(self) -> bool:
        version = self._published.version
        waited_for = [
            slot for slot in self._slots if slot.given_up_at is None and not slot.starting
        ]
        current = [slot for slot in waited_for if slot.idle and slot.version == version]
        return bool(current) and len(current) == len(waited_for)
