"""Ctrl-C as a request to stop at the next good moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit status after Ctrl-C, as a shell has it."""


@contextmanager
def interruption(what: str) -> Iterator[list[int]]:
    """Turn the first Ctrl-C (or SIGTERM) into a request to stop when ``what`` is done.

    Yields a list that is empty until then. A second Ctrl-C ends the run at once.
    """
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def handle(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        # print() may not be entered a second time from a signal handler.
        os.write(2, f"\nstopping after {what}; press Ctrl-C again to give it up\n".encode())

    for number in signals:
        signal.signal(number, handle)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
