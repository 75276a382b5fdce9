"""Rendering by a chat template that may be somebody else's: within a time, a size and a memory.

transformers renders templates in a sandbox of Jinja's, where they reach no attribute that would
lead out of it. What the sandbox does not bound is how long a template runs and how much it writes:
two nested loops are enough to hang. So templates are rendered in a child process, which is killed
when one text takes too long. It is a fork: the template's owner need not be sent or loaded again.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rlcs.errors import ModelError, first_line

Turns = TypeVar("Turns")

SECONDS = 10.0
"""One text may take this long; templates of real models need about a millisecond."""
MAX_BYTES = 16 * 2**20
"""Of one rendered text in UTF-8."""
MEMORY_BYTES = 2**30
"""That the child may have beyond what it begins with."""
_HEADER = struct.Struct("<?Q")
"""Before each text: whether it was rendered, and its length; else why it was not."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the template raised instead of a text."""

    reason: str


def render_bounded(
    render: Callable[[Turns], str], everything: Sequence[Turns], owner: str
) -> list[str | Refusal]:
    """Call ``render`` for each of ``everything`` in a child process; ``owner`` is for messages.

    Raises:
        ModelError: a text took longer than SECONDS, is longer than MAX_BYTES, or ended the child.
    """
    if not everything:
        return []
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(render, everything, writing)
    os.close(writing)
    try:
        return [_receive(reading, owner) for _ in everything]
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _be_the_child(render: Callable[[Any], str], everything: Sequence[Any], writing: int) -> None:
    """Render and write all texts, and end without returning to what the parent was doing."""
    try:
        gc.disable()  # nothing of the parent's may be closed here
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _limit_memory()
        for turns in everything:
            whole, text = True, ""
            try:
                text = render(turns)
            except MemoryError:
                return  # as if it had been killed for it
            except BaseException as error:
                whole, text = False, _reason(error)
            encoded = text.encode("utf-8", "surrogatepass")
            left = memoryview(_HEADER.pack(whole, len(encoded)) + encoded[: MAX_BYTES + 1])
            while left:
                left = left[os.write(writing, left) :]
    finally:
        os._exit(0)


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


def _receive(reading: int, owner: str) -> str | Refusal:
    """The next text from the child."""
    until = time.monotonic() + SECONDS
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
