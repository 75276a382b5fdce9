"""The parent's side of one worker process: how it is started, what it has in hand, its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from io import RawIOBase
from typing import Any, cast

from rewards.pool.fork_server import LOADING_SECONDS, environment, fork_worker, module_path
from rewards.pool.worker import write_message


@dataclass(frozen=True)
class WorkerTerms:
    """What every worker process of a pool is started with.

    custom, settings: as ``Registry`` takes them. memory_limit_bytes: the address space that the
    process may use.
    """

    custom: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]]
    memory_limit_bytes: int


class WorkerProcess:
    """One process. At most one message of items is under way; replies come in their order.

    pid: its number. items: indices of the requests that it was sent and has not answered.
    deadline_at: when it must have said something, on the monotonic clock. ready: whether it has
    finished starting.
    """

    def __init__(self, terms: WorkerTerms) -> None:
        their_requests, requests = os.pipe()
        replies, their_replies = os.pipe()
        try:
            self.pid, self._process = fork_worker(their_requests, their_replies)
        except BaseException:
            os.close(requests)
            os.close(replies)
            raise
        finally:
            os.close(their_requests)
            os.close(their_replies)
        # Unbuffered: a buffered reader would hide replies from the selector.
        self.requests = cast(RawIOBase, os.fdopen(requests, "wb", buffering=0))
        self.replies = cast(RawIOBase, os.fdopen(replies, "rb", buffering=0))
        self.items: deque[int] = deque()
        self.deadline_at = time.monotonic() + LOADING_SECONDS
        self.ready = False
        with contextlib.suppress(BrokenPipeError):  # a worker that cannot start is seen later
            write_message(
                self.requests,
                {
                    "environment": environment(),
                    "folder": os.getcwd(),
                    "path": module_path(),
                    "custom": dict(terms.custom),
                    "settings": {name: dict(part) for name, part in terms.settings.items()},
                    "memory_limit_bytes": terms.memory_limit_bytes,
                },
            )

    @property
    def is_waited_for(self) -> bool:
        """Whether the process owes a message: it is starting, or has items in hand."""
        return bool(self.items) or not self.ready

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._ends_within(0)

    def kill(self) -> None:
        """End the process now; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self._ends_within(None)
        os.close(self._process)
        for stream in (self.requests, self.replies):
            with contextlib.suppress(OSError):
                stream.close()

    def _ends_within(self, milliseconds: int | None) -> bool:
        """Whether the process is gone, or will be in that time; None waits until it is."""
        poll = select.poll()  # `select` takes no descriptor above 1023
        poll.register(self._process, select.POLLIN)
        return bool(poll.poll(milliseconds))
