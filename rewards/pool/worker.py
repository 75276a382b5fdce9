"""The killable worker process: reads requests, writes verdicts, dies when told or orphaned.

It is a fork of the fork server (see fork_server.py), which never ran any of the caller's code,
and speaks length-prefixed pickles over two pipes, so it starts the same from threads, asyncio and
Ray actors. Four things end it: the parent's kill; the end of its input; a kernel timer whose
default action no held interpreter lock can delay; and, when idle, the loss of the fork server.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import resource
import signal
import struct
import sys
import threading
import time
from io import RawIOBase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewards.registry import Registry
    from rewards.verdict import Request, Verdict

LENGTH = struct.Struct("!Q")
READY, DONE, FAILED = "ready", "done", "failed"
KILL_GRACE_SECONDS = 0.5
ROOM_TO_START = 32 * 2**20
"""Bytes that the memory limit must leave a worker beyond what is loaded."""


def write_message(stream: RawIOBase, message: Any) -> None:
    """Write one message to an unbuffered stream."""
    payload = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    rest = memoryview(LENGTH.pack(len(payload)) + payload)
    while rest:
        rest = rest[stream.write(rest) or 0 :]


def read_message(stream: RawIOBase) -> Any:
    """Read one message from an unbuffered stream, never beyond it.

    Raises EOFError when the other side is gone.
    """
    (length,) = LENGTH.unpack(_read_exactly(stream, LENGTH.size))
    return pickle.loads(_read_exactly(stream, length))


def _read_exactly(stream: RawIOBase, length: int) -> bytes:
    parts = []
    while length:
        part = stream.read(length)
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def serve(requests: RawIOBase, replies: RawIOBase, server: int) -> None:
    """Serve requests until the input ends; ``server`` is the process that this is a fork of."""
    threading.Thread(target=_watch_parent, args=(server,), daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(requests, replies)


def _serve(requests: RawIOBase, replies: RawIOBase) -> None:
    from rewards import algebra
    from rewards.registry import Registry

    start = read_message(requests)
    os.environ.clear()
    os.environ.update(start["environment"])
    os.chdir(start["folder"])
    sys.path[:] = start["path"]
    importlib.invalidate_caches()  # the fork server may have looked before a file was there
    limit = start["memory_limit_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        bytes(ROOM_TO_START)
        registry = Registry(start["custom"], start["settings"])
        registry.warm_up()
    except MemoryError:
        write_message(replies, (FAILED, f"memory_limit_bytes: {limit} is too little to start with"))
        return
    except Exception as error:
        write_message(replies, (FAILED, f"{type(error).__name__}: {error}"))
        return
    gc.freeze()  # SymPy's many objects would slow every later collection
    algebra.allow()
    write_message(replies, (READY, None))
    while True:
        for request, deadline_seconds in read_message(requests):
            _set_timer(deadline_seconds + KILL_GRACE_SECONDS)
            reply = _judge(registry, request)
            _set_timer(0)
            write_message(replies, reply)


def _judge(registry: Registry, request: Request) -> tuple[str, Verdict | str]:
    try:
        return DONE, registry.judge(request)
    except MemoryError:
        return FAILED, "out of memory"
    except Exception as error:
        return FAILED, f"{type(error).__name__}: {error}"


def _set_timer(seconds: float) -> None:
    """Let the kernel end this process in ``seconds``, whatever Python does; 0 stops the timer."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _watch_parent(parent: int) -> None:
    """End this process when the fork server is gone, even if a fork keeps our input open."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
