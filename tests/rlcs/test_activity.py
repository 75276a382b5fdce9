"""What a process is busy with: told in order, from any thread, and over when it is over."""

from __future__ import annotations

import threading

import pytest

from rlcs.activity import Activity, doing, listening


def test_a_listener_hears_every_change_in_order() -> None:
    heard: list[list[str]] = []

    def listen(activities: tuple[Activity, ...]) -> None:
        heard.append([activity.text for activity in activities])

    with listening(listen), doing("evaluating"), doing("0 of 2 completions") as tell:
        tell("1 of 2 completions")
        tell("1 of 2 completions")
        tell("2 of 2 completions")
    with doing("something else"):
        pass
    assert heard == [
        ["evaluating"],
        ["evaluating", "0 of 2 completions"],
        ["evaluating", "1 of 2 completions"],
        ["evaluating", "2 of 2 completions"],
        ["evaluating"],
        [],
    ]


def test_an_activity_keeps_the_moment_of_its_beginning() -> None:
    heard: list[tuple[Activity, ...]] = []
    with listening(heard.append), doing("a") as tell:
        tell("b")
    assert heard[0][0].since == heard[1][0].since


def test_what_fails_is_over() -> None:
    heard: list[tuple[Activity, ...]] = []
    with listening(heard.append):
        with pytest.raises(ValueError, match="it failed"), doing("something"):
            raise ValueError("it failed")
        assert heard[-1] == ()


def test_two_threads_are_heard_together() -> None:
    heard: list[set[str]] = []
    inside, over = threading.Event(), threading.Event()

    def sample() -> None:
        with doing("sampling"):
            inside.set()
            over.wait(10)

    with listening(lambda found: heard.append({activity.text for activity in found})):
        other = threading.Thread(target=sample)
        other.start()
        assert inside.wait(10)
        with doing("learning"):
            pass
        over.set()
        other.join()
    assert {"sampling", "learning"} in heard
    assert heard[-1] == set()
