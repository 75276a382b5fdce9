"""Work beside the page: done once a version, the newest results kept."""

from __future__ import annotations

import time
from pathlib import Path

from made_runs import make_run

from rlcs.dashboard.asked import read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.what_if import begin
from rlcs.dashboard.work import KEPT, Task, Work
from rlcs.errors import RunFolderError
from rlcs.insight import Runs


def done(task: Task) -> Task:
    """The task, once it is done."""
    while not task.done:
        time.sleep(0.001)
    return task


def test_a_version_is_worked_out_once() -> None:
    work = Work()
    first = done(work.ask("a", lambda task: object(), version="1"))
    assert work.ask("a", lambda task: object(), version="1") is first
    second = done(work.ask("a", lambda task: object(), version="2"))
    assert second.result is not first.result
    assert work.known("a") is second
    assert work.known("b") is None


def test_what_was_asked_for_longest_ago_is_dropped() -> None:
    work = Work()
    for key in range(KEPT):
        done(work.ask(key, lambda task: None, version=""))
    work.known(0)
    done(work.ask("new", lambda task: None, version=""))
    assert work.known(0) is not None
    assert work.known(1) is None


def test_what_fails_is_said() -> None:
    def refuse(task: Task) -> None:
        raise RunFolderError("there is no checkpoint yet")

    work = Work()
    assert done(work.ask("a", refuse, version="")).error == "there is no checkpoint yet"
    assert (
        done(work.ask("b", lambda task: 1 / 0, version="")).error == "it failed (ZeroDivisionError)"
    )


def test_another_press_replays_what_was_drawn_since(tmp_path: Path) -> None:
    maker = make_run(tmp_path / "a", steps=2)
    context = Context(runs=Runs(tmp_path, cache=tmp_path / "cache"))
    asked = read_address(context, "?run=a&samplers=uniform")
    run = asked.run
    assert run is not None
    run.reader.read_draws()
    first = done(begin(context, run, asked))
    assert (first.error, first.result.last) == ("", 2)
    maker.step(3, 1.0)
    run.reader.read_draws()
    assert done(begin(context, run, asked)).result.last == 3
    many = read_address(context, f"?run=a&samplers={'uniform;' * 7}")
    assert done(begin(context, run, many)).error == "Expected 1 to 6 curricula, found 7."
    context.close()
