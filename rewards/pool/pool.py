"""Judging in worker processes that are killed and replaced when they overrun.

Left out: a queue thread. Every call of ``judge`` drives the workers it holds from its own
thread, so the pool behaves the same in a main thread, a worker thread, asyncio (through
``asyncio.to_thread``) and a Ray actor.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from rewards.errors import SettingsError, UnknownDomainError
from rewards.pool.batch import Batch, Slot
from rewards.pool.process import WorkerTerms
from rewards.registry import Registry
from rewards.verdict import Request, Verdict

MEBIBYTE = 1024 * 1024


class VerifierPool:
    """Judges requests in ``num_workers`` killable processes.

    custom, settings, pass_marks: see ``Registry``. deadline_seconds: wall time an item may take,
    counted from when its work starts. memory_limit_bytes: address space of a worker. Workers
    start on the first call. Raises SettingsError for settings that do not fit, at once; for a
    user's verifier that does not import, at the first call.
    """

    def __init__(
        self,
        num_workers: int = 1,
        *,
        custom: Mapping[str, str] = {},
        settings: Mapping[str, Mapping[str, Any]] = {},
        pass_marks: Mapping[str, float] = {},
        deadline_seconds: float = 1.0,
        memory_limit_bytes: int = 512 * MEBIBYTE,
    ) -> None:
        if num_workers < 1:
            raise SettingsError(f"num_workers: expected at least 1, found {num_workers}")
        if deadline_seconds <= 0:
            raise SettingsError(f"deadline_seconds: expected more than 0, found {deadline_seconds}")
        self._pass_marks = dict(pass_marks)
        self._registry = Registry(custom, settings, pass_marks)
        self._terms = WorkerTerms(dict(custom), dict(settings), memory_limit_bytes)
        self._deadline_seconds = deadline_seconds
        self._free = threading.Condition()
        self._idle: list[Slot] = [None] * num_workers
        self._num_workers = num_workers
        self._closed = False

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def domains(self) -> list[str]:
        """Return the names of the domains that can be judged, sorted."""
        return self._registry.domains()

    def settings(self, domain: str) -> Mapping[str, Any]:
        """Return the settings that were given for a domain; empty where none were."""
        return self._terms.settings.get(domain, {})

    def terms(self) -> dict[str, Any]:
        """Return what another pool is made with that judges as this one, its workers aside."""
        return {
            "custom": dict(self._terms.custom),
            "settings": {name: dict(part) for name, part in self._terms.settings.items()},
            "pass_marks": self._pass_marks,
            "deadline_seconds": self._deadline_seconds,
            "memory_limit_bytes": self._terms.memory_limit_bytes,
        }

    def pass_mark(self, domain: str) -> float:
        """Return the score from which a verdict of ``domain`` counts as passed in this pool."""
        return self._registry.pass_mark(domain)

    def passed(self, domain: str, verdict: Verdict) -> bool:
        """Return whether ``verdict`` is a pass in this pool: the one definition of a pass."""
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
        slots = [self._wait_for_slot()]
        try:
            return Batch(requests, deadlines, self._terms, slots, self._free_slots).run()
        finally:
            for slot in slots:
                if slot is not None and slot.items:  # one that still starts is kept
                    slot.kill()
                    slot = None
                self._give_back(slot)

    def close(self) -> None:
        """End the workers; calls under way finish first."""
        with self._free:
            self._closed = True
            while len(self._idle) < self._num_workers:
                self._free.wait()
            for slot in self._idle:
                if slot is not None:
                    slot.kill()
            self._idle = [None] * self._num_workers

    def _wait_for_slot(self) -> Slot:
        """Take a slot, when one is free. Raises RuntimeError when the pool is closed."""
        with self._free:
            while not self._idle:
                self._free.wait()
            if self._closed:
                raise RuntimeError("the verifier pool is closed")
            return self._take()

    def _free_slots(self, number: int) -> list[Slot]:
        """Take at most ``number`` of the slots that are free now."""
        with self._free:
            if self._closed:
                return []
            return [self._take() for _ in range(min(number, len(self._idle)))]

    def _take(self) -> Slot:
        """Take the free slot that is nearest to work: ready, else starting, else empty."""
        ranks = [0 if slot is None else 1 + slot.ready for slot in self._idle]
        return self._idle.pop(ranks.index(max(ranks)))

    def _give_back(self, slot: Slot) -> None:
        with self._free:
            self._idle.append(slot)
            self._free.notify()
