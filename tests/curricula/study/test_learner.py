"""The simulated learner."""

from typing import Any

import pytest

from curricula import GroupResult, SettingsError
from curricula.study.learner import SimulatedLearner, World

SMALL = World(num_problems=400, num_categories=8)


def groups(ids: list[int], passes: int) -> list[GroupResult]:
    return [GroupResult(f"p{i}", 0, passes, 8, 0) for i in ids]


@pytest.mark.parametrize(
    ("passes", "better"), [(0, False), (8, False), (4, True), (1, True)], ids=str
)
def test_only_groups_with_right_and_wrong_answers_teach(passes: int, better: bool) -> None:
    learner = SimulatedLearner(World(num_problems=400, forgetting=0.0), seed=0)
    before = learner.accuracy()
    learner.train(groups(list(range(32)), passes), 32)
    assert (learner.accuracy() > before) is better


def test_the_more_balanced_the_group_the_more_is_learned() -> None:
    gains = []
    for passes in (1, 2, 3, 4):
        learner = SimulatedLearner(SMALL, seed=0)
        learner.train(groups(list(range(32)), passes), 32)
        gains.append(learner.accuracy())
    assert gains == sorted(gains)


def test_skill_transfers_and_is_forgotten() -> None:
    def after(world: World, idle_steps: int) -> float:
        learner = SimulatedLearner(world, seed=0)
        for _ in range(20):
            learner.train(groups(list(range(0, 80, 8)), 4), 10)  # category 0 alone
        for _ in range(idle_steps):
            learner.train([], 10)
        return learner.accuracy()

    alone = World(num_problems=400, num_categories=8, transfer=0.0, forgetting=0.05)
    shared = World(num_problems=400, num_categories=8, transfer=0.5, forgetting=0.05)
    assert after(shared, 0) > after(alone, 0) > after(alone, 50)


def test_bad_worlds_are_refused() -> None:
    with pytest.raises(SettingsError, match="at least one problem a category"):
        SimulatedLearner(World(num_problems=3, num_categories=4), seed=0)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"num_problems": 0}, "num_problems: expected a whole number not below 1"),
        ({"num_problems": 50.0}, "num_problems: expected a whole number"),
        ({"num_domains": True}, "num_domains: expected a whole number .* found true"),
        ({"graded": "1"}, "graded: expected a number .* found the text '1'"),
        ({"graded": 2}, "graded: expected a number not below 0 and not above 1, found 2"),
        ({"easiest_category": float("nan")}, "easiest_category: expected a number .* found nan"),
        ({"learning": -1}, "learning: expected a number not below 0"),
    ],
)
def test_worlds_are_as_strict_as_settings(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        World(**changed)
