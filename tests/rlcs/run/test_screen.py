"""What a long step shows: a live line on a terminal, rare plain lines elsewhere."""

from __future__ import annotations

import io
import time

from rich.console import Console

from rlcs.activity import Activity, doing
from rlcs.run.screen import QUIET_SECONDS, Screen, shown_duration


class FakeClock:
    """Says what it is set to, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def plain_screen() -> tuple[Screen, FakeClock, io.StringIO]:
    """A screen that is no terminal; :meth:`Screen.look` is called by the test alone."""
    out, clock = io.StringIO(), FakeClock()
    return Screen(console=Console(file=out, width=100), clock=clock), clock, out


def busy(clock: FakeClock, *texts: str) -> tuple[Activity, ...]:
    return tuple(Activity(text, clock.now) for text in texts)


def test_without_a_terminal_a_long_step_is_a_line_in_thirty_seconds() -> None:
    screen, clock, out = plain_screen()
    began = clock.now
    for second in range(100):
        clock.now = began + second
        screen.show((Activity("step 3 of 9", began), Activity(f"{second} of 200", began)))
        screen.look()
    assert out.getvalue().splitlines() == [
        "… step 3 of 9 · 30 of 200 (0:30)",
        "… step 3 of 9 · 60 of 200 (1:00)",
        "… step 3 of 9 · 90 of 200 (1:30)",
    ]


def test_what_does_not_change_is_said_once() -> None:
    screen, clock, out = plain_screen()
    screen.show(busy(clock, "2 engines starting"))
    for _ in range(200):
        clock.now += 1
        screen.look()
    assert out.getvalue() == "… 2 engines starting (0:30)\n"


def test_a_command_that_says_something_itself_is_not_interrupted() -> None:
    screen, clock, out = plain_screen()
    screen.show(busy(clock, "step 1 of 9"))
    for step in range(1, 9):
        clock.now += QUIET_SECONDS - 1
        screen.look()
        screen.say(f"step {step} is done")
    assert "…" not in out.getvalue()
    clock.now += QUIET_SECONDS
    screen.look()
    assert out.getvalue().splitlines()[-1].startswith("… step 1 of 9")


def test_nothing_is_said_while_nothing_is_done() -> None:
    screen, clock, out = plain_screen()
    screen.show(busy(clock, "judging 8 completions"))
    screen.show(())
    clock.now += 1000
    screen.look()
    assert out.getvalue() == ""


def test_on_a_terminal_one_line_lives() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60)
    with Screen(console=console) as screen, doing("step 3 of 9"), doing("5 of 8") as tell:
        screen.say("a line")
        screen._live.refresh()
        tell("6 of 8 \x1b[2J[bold]" + "x" * 80)
        screen._live.refresh()
    text = out.getvalue()
    assert "… step 3 of 9 · 5 of 8 (0:00)" in text
    assert "6 of 8 \\u001b[2J[bold]xx" in text  # as it is, on one line that is cut
    assert "\x1b[2J" not in text
    assert text.index("a line") < text.rindex("6 of 8")
    assert "…" not in text[text.rindex("6 of 8") + 70 :]  # nothing of it stays


def test_a_screen_listens_while_it_is_used_and_by_itself() -> None:
    out = io.StringIO()
    clock = FakeClock()
    with Screen(console=Console(file=out, width=100), clock=clock), doing("learning"):
        clock.now += QUIET_SECONDS
        deadline = time.monotonic() + 10
        while not out.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert out.getvalue().startswith("… learning (")


def test_a_duration_is_short() -> None:
    assert [shown_duration(each) for each in (5, 245, 3845)] == ["0:05", "4:05", "1:04:05"]
