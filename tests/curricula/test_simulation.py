"""The simulated learner, and what it says about the curricula."""

import math

import numpy as np
import pytest

from curricula import SETTINGS, GroupResult, SettingsError
from curricula.study.contender import Contender
from curricula.study.learner import SimulatedLearner, World
from curricula.study.simulation import (
    compare,
    simulate,
    table,
)

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


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_every_kind_runs_and_repeats_itself(kind: str) -> None:
    world = World(num_problems=400, num_categories=8, graded=1.0)
    settings = {"pass_rate_upto": 0.5} if kind == "hard_stage" else {}
    contender = Contender(name=kind, kind=kind, settings=settings)
    one, two = (simulate(contender, world, num_completions=4000, num_groups=16) for _ in range(2))
    assert one == two
    assert one.completions[-1] >= 4000
    assert one.accuracy[-1] > one.accuracy[0]
    assert 0 < one.trained_share <= 1


def test_carried_groups_are_trained_on_later() -> None:
    contender = Contender(name="carry", kind="rlcs", settings={"carry_over": True})
    plain = Contender(name="drop", kind="rlcs")
    shares = [simulate(c, SMALL, num_completions=8000).trained_share for c in (contender, plain)]
    assert shares[0] > shares[1]


def test_completions_until_an_accuracy() -> None:
    course = simulate(Contender(name="u", kind="uniform"), SMALL, num_completions=3000)
    assert course.completions_until(course.accuracy[0]) == 0
    assert course.completions_until(2.0) == math.inf
    assert course.completions_until(course.accuracy[-1]) <= course.completions[-1]


def test_adaptive_curricula_need_fewer_completions() -> None:
    """Of ten categories from trivial to impossible few can be learned from at a time."""
    contenders = [
        Contender(name=kind, kind=kind) for kind in ("uniform", "dapo", "rlcs", "posterior")
    ]
    rows = compare(contenders, World(), num_completions=30_000, seeds=range(3))
    cost = {row.name: row.cost for row in rows}
    assert cost["uniform"] == pytest.approx(1.0, abs=0.02)
    assert cost["rlcs"] < 0.6 * cost["dapo"]
    assert cost["posterior"] < 0.6 * cost["dapo"]
    text = table(rows)
    assert len(text.splitlines()) == 5
    assert "not reached" not in text


def test_where_everything_can_be_learned_from_little_is_lost() -> None:
    """The other side: all problems middling, nothing to gain; groups over the batch are surplus."""
    world = World(easiest_category=-0.5, hardest_category=0.5, spread=0.5)
    rows = compare(
        [Contender(name=kind, kind=kind) for kind in ("uniform", "rlcs")],
        world,
        num_completions=15_000,
        seeds=range(3),
    )
    gained = [row.accuracy - 0.5 for row in rows]
    assert gained[1] > 0.9 * gained[0]


@pytest.mark.long
def test_a_million_problems_take_seconds() -> None:
    course = simulate(
        Contender(name="rlcs", kind="rlcs"),
        World(num_problems=1_000_000, num_categories=50),
        num_completions=100_000,
        num_groups=256,
    )
    assert course.accuracy[-1] > course.accuracy[0]


def test_bad_worlds_are_refused() -> None:
    with pytest.raises(SettingsError, match="at least one problem a category"):
        SimulatedLearner(World(num_problems=3, num_categories=4), seed=0)


def test_intervals() -> None:
    contenders = [Contender(name="a", kind="uniform")]
    rows = compare(contenders, SMALL, num_completions=2000, seeds=[0])
    assert math.isnan(rows[0].accuracy_interval)  # one seed says nothing about the spread
    assert np.isfinite(rows[0].accuracy)
