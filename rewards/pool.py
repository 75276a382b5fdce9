"""Judging in worker processes that are killed and replaced when they overrun.

Left out: a queue thread. Every call of ``judge`` drives the workers it holds from its own
thread, so the pool behaves the same in a main thread, a worker thread, asyncio (through
``asyncio.to_thread``) and a Ray actor.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import RawIOBase
from typing import Any, cast

from rewards.errors import SettingsError, UnknownDomainError
from rewards.registry import Registry
from rewards.verdict import Outcome, Request, Verdict
from rewards.worker import (
    DONE,
    FAILED,
    LOADING_SECONDS,
    READY,
    read_message,
    write_message,
)

MEBIBYTE = 1024 * 1024
MAX_ITEMS_A_MESSAGE = 16
START_ATTEMPTS = 3


@dataclass(frozen=True)
class _Terms:
    """What a worker is started with."""

    custom: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]
    memory_limit_bytes: int


class _Worker:
    """One process. At most one message of items is under way; replies come in their order."""

    def __init__(self, terms: _Terms) -> None:
        path = [entry or os.getcwd() for entry in sys.path]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from rewards.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,  # a buffered reader would hide replies from the selector
        )
        self.requests = cast(RawIOBase, self.process.stdin)
        self.replies = cast(RawIOBase, self.process.stdout)
        self.items: deque[int] = deque()
        self.deadline_at = time.monotonic() + LOADING_SECONDS
        self.ready = False
        with contextlib.suppress(BrokenPipeError):  # a worker that cannot start is seen later
            write_message(
                self.requests,
                {
                    "path": path,
                    "parent": os.getpid(),
                    "custom": dict(terms.custom),
                    "settings": {name: dict(part) for name, part in terms.settings.items()},
                    "memory_limit_bytes": terms.memory_limit_bytes,
                },
            )

    def kill(self) -> None:
        """End the process now and reap it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.requests, self.replies):
            with contextlib.suppress(OSError):
                stream.close()


@dataclass
class _Batch:
    """The state of one ``judge`` call: what waits, and the verdicts so far."""

    requests: Sequence[Request]
    deadlines: Sequence[float]
    waiting: deque[int] = field(default_factory=deque)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    crashed: set[int] = field(default_factory=set)


class VerifierPool:
    """Judges requests in ``num_workers`` killable processes.

    custom, settings: see ``Registry``. deadline_seconds: wall time an item may take, counted
    from when its work starts. memory_limit_bytes: address space of a worker. Workers start on
    the first call. Raises SettingsError for settings that do not fit, at once; for a user's
    verifier that does not import, at the first call.
    """

    def __init__(
        self,
        num_workers: int = 1,
        *,
        custom: Mapping[str, str] = {},
        settings: Mapping[str, Mapping[str, Any]] = {},
        deadline_seconds: float = 1.0,
        memory_limit_bytes: int = 512 * MEBIBYTE,
    ) -> None:
        if num_workers < 1:
            raise SettingsError(f"num_workers: expected at least 1, found {num_workers}")
        if deadline_seconds <= 0:
            raise SettingsError(f"deadline_seconds: expected more than 0, found {deadline_seconds}")
        self._registry = Registry(custom, settings)
        self._terms = _Terms(dict(custom), dict(settings), memory_limit_bytes)
        self._deadline_seconds = deadline_seconds
        self._free = threading.Condition()
        self._idle: list[_Worker | None] = [None] * num_workers
        self._num_workers = num_workers
        self._closed = False

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def domains(self) -> list[str]:
        """Names that can be judged."""
        return self._registry.domains()

    def pass_mark(self, domain: str) -> float:
        """The pass mark under this pool's settings."""
        return self._registry.pass_mark(domain)

    def passed(self, domain: str, verdict: Verdict) -> bool:
        """Whether ``verdict`` is a pass under this pool's settings."""
        return self._registry.passed(domain, verdict)

    def judge(self, requests: Sequence[Request]) -> list[Verdict]:
        """Judge all ``requests`` and return the verdicts in their order.

        Raises UnknownDomainError before any work when a request names no known domain.
        """
        known = set(self._registry.domains())
        for request in requests:
            if request.domain not in known:
                raise UnknownDomainError(request.domain, known)
        if not requests:
            return []
        deadlines = [
            max(self._deadline_seconds, self._registry.extra_seconds(request.domain))
            for request in requests
        ]
        batch = _Batch(requests, deadlines, deque(range(len(requests))))
        workers: list[_Worker | None] = []
        try:
            workers.append(self._take(block=True))
            self._drive(batch, workers)
        finally:
            for worker in workers:
                if worker is not None and worker.items:
                    worker.kill()
                    worker = None
                self._give_back(worker)
        return [batch.verdicts[index] for index in range(len(requests))]

    def close(self) -> None:
        """End the workers; calls under way finish first."""
        with self._free:
            self._closed = True
            while len(self._idle) < self._num_workers:
                self._free.wait()
            for worker in self._idle:
                if worker is not None:
                    worker.kill()
            self._idle = [None] * self._num_workers

    def _take(self, *, block: bool) -> _Worker | None:
        """Take a free slot; its worker is None until one is started for it."""
        with self._free:
            while block and not self._idle:
                self._free.wait()
            if self._closed:
                raise RuntimeError("the verifier pool is closed")
            return self._pop_idle()

    def _pop_idle(self) -> _Worker | None:
        """Take the free slot that is nearest to work: ready, else starting, else empty."""
        ranks = [0 if worker is None else 1 + worker.ready for worker in self._idle]
        return self._idle.pop(ranks.index(max(ranks)))

    def _give_back(self, worker: _Worker | None) -> None:
        with self._free:
            self._idle.append(worker)
            self._free.notify()

    def _drive(self, batch: _Batch, workers: list[_Worker | None]) -> None:
        """Feed the held workers and collect replies until every item has its verdict."""
        failed_starts = 0
        while len(batch.verdicts) < len(batch.requests):
            self._widen(batch, workers)
            for position, worker in enumerate(workers):
                if worker is None or (worker.process.poll() is not None and not worker.items):
                    if worker is not None:
                        worker.kill()
                    worker = workers[position] = _Worker(self._terms)
                if worker.ready and not worker.items and batch.waiting:
                    self._send(batch, workers, position)
            for position in self._wait(workers):
                failed_starts = self._advance(batch, workers, position, failed_starts)
            self._end_overrunning(batch, workers)

    def _widen(self, batch: _Batch, workers: list[_Worker | None]) -> None:
        """Hold more of the free workers while there is more work than the held ones have."""
        while len(batch.waiting) > MAX_ITEMS_A_MESSAGE * len(workers):
            with self._free:
                if not self._idle or self._closed:
                    return
                workers.append(self._pop_idle())

    def _send(self, batch: _Batch, workers: list[_Worker | None], position: int) -> None:
        worker = cast(_Worker, workers[position])
        share = min(MAX_ITEMS_A_MESSAGE, -(-len(batch.waiting) // len(workers)))
        indices = [batch.waiting.popleft() for _ in range(share)]
        try:
            write_message(
                worker.requests, [(batch.requests[i], batch.deadlines[i]) for i in indices]
            )
        except BrokenPipeError:  # died while idle: nothing had started
            batch.waiting.extendleft(reversed(indices))
            self._replace(workers, position)
            return
        worker.items.extend(indices)
        worker.deadline_at = time.monotonic() + batch.deadlines[indices[0]]

    @staticmethod
    def _wait(workers: list[_Worker | None]) -> list[int]:
        """Positions of the workers that have something to say, or none when a deadline comes."""
        busy = [(i, w) for i, w in enumerate(workers) if w is not None and (w.items or not w.ready)]
        if not busy:
            return []
        until = min(worker.deadline_at for _, worker in busy)
        with selectors.DefaultSelector() as selector:
            for position, worker in busy:
                selector.register(worker.replies, selectors.EVENT_READ, position)
            events = selector.select(max(0.0, until - time.monotonic()))
        return [key.data for key, _ in events]

    def _advance(
        self, batch: _Batch, workers: list[_Worker | None], position: int, failed_starts: int
    ) -> int:
        """Take one message from a worker. Returns the number of failed starts in a row."""
        worker = cast(_Worker, workers[position])
        try:
            kind, content = read_message(worker.replies)
        except EOFError:
            if worker.ready:
                self._blame_current(batch, worker)
            elif failed_starts + 1 >= START_ATTEMPTS:
                raise RuntimeError(
                    f"a verifier process ended {START_ATTEMPTS} times while starting; "
                    "its own error output says why"
                ) from None
            self._requeue(batch, worker)
            self._replace(workers, position)
            return failed_starts if worker.ready else failed_starts + 1
        if kind == READY:
            worker.ready = True
        elif kind == FAILED and not worker.ready:
            raise SettingsError(content)
        elif kind == FAILED:
            self._fail_current(batch, worker, Outcome.ERROR, content)
            self._requeue(batch, worker)
            self._replace(workers, position)
        else:
            assert kind == DONE
            batch.verdicts[worker.items.popleft()] = content
            if worker.items:
                worker.deadline_at = time.monotonic() + batch.deadlines[worker.items[0]]
        return failed_starts

    def _end_overrunning(self, batch: _Batch, workers: list[_Worker | None]) -> None:
        now = time.monotonic()
        for position, worker in enumerate(workers):
            if worker is None or now < worker.deadline_at or (worker.ready and not worker.items):
                continue
            if worker.ready:
                seconds = batch.deadlines[worker.items[0]]
                self._fail_current(
                    batch, worker, Outcome.TIMEOUT, f"took longer than {seconds:g} s"
                )
                self._requeue(batch, worker)
            self._replace(workers, position)

    @staticmethod
    def _fail_current(batch: _Batch, worker: _Worker, outcome: Outcome, detail: str) -> None:
        index = worker.items.popleft()
        seconds = time.monotonic() - (worker.deadline_at - batch.deadlines[index])
        batch.verdicts[index] = Verdict(
            outcome=outcome, score=0.0, extracted=None, detail=detail, seconds=max(0.0, seconds)
        )

    def _blame_current(self, batch: _Batch, worker: _Worker) -> None:
        """An item whose process died has a second try: the kill may have come from outside."""
        if not worker.items:
            return
        index = worker.items[0]
        if index in batch.crashed:
            self._fail_current(batch, worker, Outcome.ERROR, "the verifier process died")
        batch.crashed.add(index)

    @staticmethod
    def _requeue(batch: _Batch, worker: _Worker) -> None:
        batch.waiting.extendleft(reversed(worker.items))
        worker.items.clear()

    def _replace(self, workers: list[_Worker | None], position: int) -> None:
        worker = cast(_Worker, workers[position])
        worker.kill()
        workers[position] = _Worker(self._terms)
