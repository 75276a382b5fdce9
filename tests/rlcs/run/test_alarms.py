"""Alarms: each rule on rows in which it holds, and on rows in which it does not."""

from __future__ import annotations

from typing import Any

import pytest

from rlcs.run.alarms import FALLING, AlarmWatch


def row(step: int, **more: Any) -> dict[str, Any]:
    """A step in which nothing is wrong."""
    return {
        "step": step,
        "seconds": {"rollout": 20.0, "learn": 9.0, "step": 30.0},
        "groups": {"trained": 4},
        "completions": 100,
        "tokens": 10_000,
        "pass_rate": 0.5,
        "errors": 0,
        "truncated": 0.1,
        "learner": {"entropy": 1.0, "mismatch": 0.001, "num_skipped": 0},
        **more,
    }


RULES = [
    pytest.param({"errors": 5}, "verifier errors", id="errors"),
    pytest.param({"errors": 4}, None, id="few errors"),
    pytest.param({"truncated": 0.5}, "truncation", id="truncated"),
    pytest.param({"truncated": None}, None, id="nothing sampled"),
    pytest.param({"tokens": 20_100}, "length grew", id="longer"),
    pytest.param({"tokens": 19_900}, None, id="somewhat longer"),
    pytest.param({"tokens": 4_900}, "length shrank", id="shorter"),
    pytest.param({"learner": {"mismatch": 0.1}}, "mismatch", id="mismatch"),
    pytest.param({"learner": {"entropy": 0.19}}, "entropy collapse", id="entropy"),
    pytest.param({"learner": {"num_skipped": 1}}, "skipped updates", id="skipped"),
    pytest.param({"learner": {}}, None, id="no learner's numbers"),
    pytest.param({"groups": {"invalid": 4}}, "nothing to learn from", id="nothing trained"),
    pytest.param({"seconds": {"rollout": 150.0, "step": 151.0}}, "stall", id="five times as long"),
    pytest.param({"seconds": {"rollout": 99.0, "step": 100.0}}, None, id="three times as long"),
    pytest.param({"seconds": "x", "learner": [], "errors": "y"}, None, id="other types"),
]


@pytest.mark.parametrize(("odd", "kind"), RULES)
def test_a_rule(odd: dict[str, Any], kind: str | None) -> None:
    watch = AlarmWatch()
    for step in range(1, 21):
        assert watch.step(row(step)) == []
    found = watch.step(row(21, **odd))
    assert [alarm.kind for alarm in found] == ([] if kind is None else [kind])


def test_an_alarm_is_raised_once_while_it_holds() -> None:
    watch = AlarmWatch()
    told = [len(watch.step(row(step, errors=50 if step != 3 else 0))) for step in range(1, 6)]
    assert told == [1, 0, 0, 1, 0]


def test_no_rule_about_what_is_usual_speaks_early() -> None:
    watch = AlarmWatch()
    told = [watch.step(row(step, tokens=10_000 * step)) for step in range(1, 10)]
    assert not any(told)


@pytest.mark.parametrize(
    ("accuracies", "rates", "raised"),
    [
        pytest.param([0.5, 0.4], [0.4, 0.6], True, id="held-out falls, reward rises"),
        pytest.param([0.5, 0.4], [0.6, 0.4], False, id="both fall"),
        pytest.param([0.5, 0.48], [0.4, 0.6], False, id="falls by chance"),
        pytest.param([0.5, None], [0.4, 0.6], False, id="nothing could be judged"),
    ],
)
def test_reward_that_parts_from_held_out(
    accuracies: list[float | None], rates: list[float], raised: bool
) -> None:
    watch = AlarmWatch()
    found = []
    for at, (accuracy, rate) in enumerate(zip(accuracies, rates, strict=True)):
        for step in range(60):
            watch.step(row(60 * at + step + 1, pass_rate=rate))
        found += watch.evaluation(60 * (at + 1), accuracy)
    assert [alarm.kind for alarm in found] == [FALLING] * raised
    assert (FALLING in watch.active) is raised
    watch.evaluation(200, 0.9)
    assert FALLING not in watch.active, "a new best ends it"
