"""Whose thread drives the actors."""

from __future__ import annotations

import threading
import time

from rlcs.rollout.driver import DriverLock

SECONDS = 30.0
"""For another thread to do its part."""


def test_a_lock_that_is_held_is_not_waited_for() -> None:
    lock = DriverLock()
    with lock, lock.if_free() as held:
        assert not held
    with lock.if_free() as held:
        assert held
        with lock.if_free() as twice:
            assert not twice


def test_a_pause_lasts_until_it_is_over() -> None:
    """The thread that drives goes on behind whoever wanted the pause."""
    lock, told, driving = DriverLock(), [], threading.Event()

    def drive() -> None:
        with lock:
            driving.set()
            while not lock.pause_wanted:
                time.sleep(0.001)
            told.append("gives way")
            lock.give_way()
            told.append("goes on")

    thread = threading.Thread(target=drive)
    thread.start()
    assert driving.wait(SECONDS)
    with lock.in_a_pause():
        assert not lock.pause_wanted, "the thread that has the pause hands out work itself"
        told.append("the pause")
    thread.join(SECONDS)
    assert told == ["gives way", "the pause", "goes on"]
