"""The work of one ``judge`` call, and how it drives the worker processes that it holds."""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from rewards.errors import SettingsError
from rewards.pool.fork_server import START_ATTEMPTS, start_failure
from rewards.pool.process import WorkerProcess, WorkerTerms
from rewards.pool.worker import (
    DONE,
    FAILED,
    READY,
    read_message,
    write_message,
)
from rewards.verdict import Outcome, Request, Verdict

MAX_ITEMS_A_MESSAGE = 16

Slot: TypeAlias = WorkerProcess | None
"""Room for one worker in the pool; None while no process has been started for it."""


class Batch:
    """Judges ``requests`` in the workers of the slots that it holds.

    deadlines: seconds that each request may take, as many as there are requests. slots: what
    the batch holds, at least one; it is changed in place, so that the caller can hand the
    slots back whatever happens. more_slots: called with a number, returns at most so many
    slots that are free now.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        deadlines: Sequence[float],
        terms: WorkerTerms,
        slots: list[Slot],
        more_slots: Callable[[int], list[Slot]],
    ) -> None:
        self._requests = requests
        self._deadlines = deadlines
        self._terms = terms
        self._slots = slots
        self._more_slots = more_slots
        self._waiting = deque(range(len(requests)))
        self._verdicts: dict[int, Verdict] = {}
        self._crashed: set[int] = set()
        self._failed_starts = 0

    def run(self) -> list[Verdict]:
        """Feed the workers and collect their replies until every request has its verdict.

        Raises SettingsError for settings or a user's verifier that a worker cannot use, and
        RuntimeError when worker processes keep ending while they start.
        """
        while len(self._verdicts) < len(self._requests):
            self._widen()
            for position in range(len(self._slots)):
                worker = self._running_worker(position)
                if worker.ready and not worker.items and self._waiting:
                    self._send(worker, position)
            for worker, position in self._speaking():
                self._advance(worker, position)
            self._end_overrunning()
        return [self._verdicts[index] for index in range(len(self._requests))]

    def _widen(self) -> None:
        """Hold more of the free slots while there is more work than the held ones have."""
        wanted = -(-len(self._waiting) // MAX_ITEMS_A_MESSAGE) - len(self._slots)
        if wanted > 0:
            self._slots += self._more_slots(wanted)

    def _running_worker(self, position: int) -> WorkerProcess:
        """The worker of a slot, started anew where there is none or it died while idle."""
        worker = self._slots[position]
        if worker is not None and (worker.items or not worker.has_ended):
            return worker
        if worker is not None:
            worker.kill()
        worker = self._slots[position] = WorkerProcess(self._terms)
        return worker

    def _replace(self, worker: WorkerProcess, position: int) -> None:
        worker.kill()
        self._slots[position] = WorkerProcess(self._terms)

    def _send(self, worker: WorkerProcess, position: int) -> None:
        share = min(MAX_ITEMS_A_MESSAGE, -(-len(self._waiting) // len(self._slots)))
        indices = [self._waiting.popleft() for _ in range(share)]
        try:
            write_message(
                worker.requests, [(self._requests[i], self._deadlines[i]) for i in indices]
            )
        except BrokenPipeError:  # died while idle: nothing had started
            self._waiting.extendleft(reversed(indices))
            self._replace(worker, position)
            return
        worker.items.extend(indices)
        self._start_clock(worker)

    def _start_clock(self, worker: WorkerProcess) -> None:
        """Count the deadline of the worker's first item from now."""
        if worker.items:
            worker.deadline_at = time.monotonic() + self._deadlines[worker.items[0]]

    def _speaking(self) -> list[tuple[WorkerProcess, int]]:
        """The workers that have a message, with their positions; none when a deadline comes."""
        busy = [
            (worker, position)
            for position, worker in enumerate(self._slots)
            if worker is not None and worker.is_waited_for
        ]
        if not busy:
            return []
        until = min(worker.deadline_at for worker, _ in busy)
        with selectors.DefaultSelector() as selector:
            for worker, position in busy:
                selector.register(worker.replies, selectors.EVENT_READ, (worker, position))
            events = selector.select(max(0.0, until - time.monotonic()))
        return [key.data for key, _ in events]

    def _advance(self, worker: WorkerProcess, position: int) -> None:
        """Take one message from a worker."""
        try:
            kind, content = read_message(worker.replies)
        except EOFError:
            self._take_up_death(worker, position)
            return
        if kind == READY:
            worker.ready = True
        elif kind == FAILED and not worker.ready:
            raise SettingsError(content)
        elif kind == FAILED:
            self._fail_current(worker, Outcome.ERROR, content)
            self._requeue(worker)
            self._replace(worker, position)
        else:
            assert kind == DONE
            self._verdicts[worker.items.popleft()] = content
            self._start_clock(worker)

    def _take_up_death(self, worker: WorkerProcess, position: int) -> None:
        """Replace a worker that died, and give its items to others."""
        if worker.ready:
            self._blame_current(worker)
        else:
            self._failed_starts += 1
            if self._failed_starts >= START_ATTEMPTS:
                raise start_failure() from None
        self._requeue(worker)
        self._replace(worker, position)

    def _blame_current(self, worker: WorkerProcess) -> None:
        """An item whose process died has a second try: the kill may have come from outside."""
        if not worker.items:
            return
        index = worker.items[0]
        if index in self._crashed:
            self._fail_current(worker, Outcome.ERROR, "the verifier process died")
        self._crashed.add(index)

    def _end_overrunning(self) -> None:
        now = time.monotonic()
        for position, worker in enumerate(self._slots):
            if worker is None or now < worker.deadline_at or not worker.is_waited_for:
                continue
            if worker.ready:
                seconds = self._deadlines[worker.items[0]]
                self._fail_current(worker, Outcome.TIMEOUT, f"took longer than {seconds:g} s")
                self._requeue(worker)
            self._replace(worker, position)

    def _fail_current(self, worker: WorkerProcess, outcome: Outcome, detail: str) -> None:
        index = worker.items.popleft()
        seconds = time.monotonic() - (worker.deadline_at - self._deadlines[index])
        self._verdicts[index] = Verdict(
            outcome=outcome, score=0.0, extracted=None, detail=detail, seconds=max(0.0, seconds)
        )

    def _requeue(self, worker: WorkerProcess) -> None:
        self._waiting.extendleft(reversed(worker.items))
        worker.items.clear()
