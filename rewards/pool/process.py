"""The parent's side of one worker process: how it is started, what it has in hand, its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from io import RawIOBase
from typing import Any, cast

from rewards.pool.worker import LOADING_SECONDS, write_message


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

    items: indices of the requests that it was sent and has not answered. deadline_at: when it
    must have said something, on the monotonic clock. ready: whether it has finished starting.
    """

    def __init__(self, terms: WorkerTerms) -> None:
        path = [entry or os.getcwd() for entry in sys.path]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from rewards.pool.worker import main; main()"],
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

    @property
    def is_waited_for(self) -> bool:
        """Whether the process owes a message: it is starting, or has items in hand."""
        return bool(self.items) or not self.ready

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the process now and reap it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.requests, self.replies):
            with contextlib.suppress(OSError):
                stream.close()
