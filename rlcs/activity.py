"""What this process is busy with, told by whoever is at it and shown by whoever listens.

    with doing("sampling") as tell:
        tell("120 of 200 completions")

A step passes through many hands, in more than one thread; they say here what they do, instead of
each being handed a screen. Nothing happens where nobody listens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that is being done."""

    text: str
    since: float
    """The moment at which it began, of the monotonic clock."""


Listener = Callable[[tuple[Activity, ...]], None]
"""Called with all that is being done, in the order in which it began, whenever that changes."""

_lock = threading.Lock()
_now: dict[object, Activity] = {}
_listeners: list[Listener] = []


@contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Say that ``what`` is being done while the block runs; what it yields says how far it is."""
    key, since = object(), time.monotonic()

    def tell(text: str) -> None:
        with _lock:
            if key in _now and _now[key].text == text:
                return
            _now[key] = Activity(text, since)
        _hand_on()

    tell(what)
    try:
        yield tell
    finally:
        with _lock:
            _now.pop(key, None)
        _hand_on()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have ``listener`` told of every change while the block runs, in the thread that makes it."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def _hand_on() -> None:
    for listener in list(_listeners):
        with _lock:
            activities = tuple(_now.values())
        listener(activities)
