"""Rendering by a chat template that may be somebody else's: within a time, a size and a memory.

transformers renders templates in a sandbox of Jinja's, where they reach no attribute that would
lead out of it. What the sandbox does not bound is how long a template runs and how much it writes:
two nested loops are enough to hang. So templates are rendered in a child process, which is killed
when one text takes too long. It is a fork: the template's owner need not be sent or loaded again.
It is kept for the next texts: a fork of a large process takes longer than to render many of them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlcs.errors import ModelError, first_line

SECONDS = 10.0
"""One text may take this long; templates of real models need about a millisecond."""
MAX_BYTES = 16 * 2**20
"""Of one rendered text in UTF-8."""
MEMORY_BYTES = 2**30
"""That the child may have beyond what it begins with."""
_HEADER = struct.Struct("<?Q")
"""Before each text: whether it was rendered, and its length; else why it was not."""
_LENGTH = struct.Struct("<Q")
"""Before each request."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the template raised instead of a text."""

    reason: str


class TemplateProcess:
    """A child process that renders, started at the first text and kept until one goes wrong."""

    def __init__(self, render: Callable[[Any], str], owner: str) -> None:
        """``render`` makes a text of what JSON can write; ``owner`` is for messages."""
        self._render = render
        self._owner = owner
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def render(self, everything: Sequence[Any]) -> list[str | Refusal]:
        """Call ``render`` for each of ``everything`` in the child.

        Raises:
            ModelError: a text took longer than SECONDS, is longer than MAX_BYTES, or ended the
                child.
        """
        with self._lock:
            try:
                return [self._one(each) for each in everything]
            except BaseException:
                if self._child is not None:
                    self._child.end()
                    self._child = None
                raise

    def _one(self, turns: Any) -> str | Refusal:
        if self._child is None:
            self._child = _Child(self._render)
            weakref.finalize(self, self._child.end)
        content = json.dumps(turns).encode()
        until = time.monotonic() + SECONDS
        with contextlib.suppress(BrokenPipeError):  # one that has ended is seen below
            _write(self._child.requests, _LENGTH.pack(len(content)) + content)
        return _receive(self._child.replies, until, self._owner)


class _Child:
    """The pipes to a child process, and its end."""

    def __init__(self, render: Callable[[Any], str]) -> None:
        asked, self.requests = os.pipe()
        self.replies, answered = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            _be_the_child(render, asked, answered)
        os.close(asked)
        os.close(answered)
        self._ended = False

    def end(self) -> None:
        """Kill the process and close the pipes; a second call does nothing."""
        if self._ended:
            return
        self._ended = True
        os.close(self.requests)
        os.close(self.replies)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _be_the_child(render: Callable[[Any], str], asked: int, answered: int) -> None:
    """Render and write texts until nobody asks for one, and end without returning to what the
    parent was doing."""
    try:
        gc.disable()  # nothing of the parent's may be closed here
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _close_others(asked, answered)
        _limit_memory()
        while header := _read(asked, _LENGTH.size):
            turns = json.loads(_read(asked, *_LENGTH.unpack(header)))
            whole, text = True, ""
            try:
                text = render(turns)
            except MemoryError:
                return  # as if it had been killed for it
            except BaseException as error:
                whole, text = False, _reason(error)
            encoded = text.encode("utf-8", "surrogatepass")
            _write(answered, _HEADER.pack(whole, len(encoded)) + encoded[: MAX_BYTES + 1])
    finally:
        os._exit(0)


def _close_others(*kept: int) -> None:
    """Close what the parent has open: its other children wait for the ends of their pipes."""
    first = 3
    for each in sorted(kept):
        os.closerange(first, each)
        first = each + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _read(descriptor: int, number: int) -> bytes:
    """So many bytes, or none at the end."""
    content = b""
    while len(content) < number and (part := os.read(descriptor, number - len(content))):
        content += part
    return content


def _reason(error: BaseException) -> str:
    from jinja2 import TemplateError

    # What a template's author wrote needs no name in front of it.
    said = first_line(error)
    return said if type(error) is TemplateError else f"{type(error).__name__}: {said}"


def _limit_memory() -> None:
    with contextlib.suppress(OSError, ValueError):  # only Linux tells what a process has
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _receive(reading: int, until: float, owner: str) -> str | Refusal:
    """The next text from the child."""
    received = b"".join(_bytes(reading, _HEADER.size, until, owner))
    whole, length = _HEADER.unpack(received)
    if length > MAX_BYTES:
        raise ModelError(
            f"{owner}: expected a chat template that writes at most {MAX_BYTES} bytes for one "
            f"problem, found one that wrote {length}. Do not use it: it may be meant to do harm."
        )
    text = b"".join(_bytes(reading, length, until, owner)).decode("utf-8", "surrogatepass")
    return text if whole else Refusal(text)


def _bytes(reading: int, number: int, until: float, owner: str) -> Iterator[bytes]:
    while number:
        if not select.select([reading], [], [], max(0.0, until - time.monotonic()))[0]:
            raise ModelError(
                f"{owner}: expected a chat template that renders one problem within {SECONDS:g} s, "
                "found one that did not end. Do not use it: it may be meant to do harm."
            )
        received = os.read(reading, min(number, 2**20))
        if not received:
            raise ModelError(
                f"{owner}: expected a chat template that renders one problem in "
                f"{MEMORY_BYTES // 2**20} MiB of memory, found one that ended its process. Do not "
                "use it: it may be meant to do harm."
            )
        number -= len(received)
        yield received
