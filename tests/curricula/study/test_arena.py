"""The simulated arena: its pools are what their names say, and its sums are right."""

import math

import pytest

from curricula.study.arena import POOLS, SAMPLERS, compete, cost, interval, standings
from curricula.study.contender import Contender
from curricula.study.learner import World
from curricula.study.simulation import Course, simulate


def course(*accuracy: float) -> Course:
    """100 completions, 300 tokens, 2 seconds a step."""
    steps = range(len(accuracy))
    return Course(
        completions=[100 * i for i in steps],
        tokens=[300.0 * i for i in steps],
        seconds=[2.0 * i for i in steps],
        accuracy=list(accuracy),
        trained_share=1.0,
        valid_share=1.0,
        median_pass_rate=0.5,
        prediction_error=0.0,
        coverage=1.0,
        forgetting=0.0,
        brier=0.0,
    )


def test_costs_are_until_the_other_end() -> None:
    base = course(0.1, 0.2, 0.3, 0.4, 0.4)
    assert cost(course(0.1, 0.3, 0.4), base, "completions") == pytest.approx(2 / 3)
    assert cost(course(0.1, 0.5), base, "tokens") == pytest.approx(1 / 3)
    assert cost(course(0.1, 0.2, 0.3), base, "seconds") == pytest.approx(2 / 3), "all it spent"


def test_intervals() -> None:
    assert interval([2.0])[0] == 2.0
    assert math.isnan(interval([2.0])[1])
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == pytest.approx((2.0, 1.0, 3.0), abs=0.4)


@pytest.mark.parametrize(
    ("pool", "share"), [("valid10", 0.1), ("valid30", 0.3), ("valid57", 0.57), ("valid80", 0.8)]
)
def test_pools_are_named_by_their_share_of_valid_groups(pool: str, share: float) -> None:
    contender = Contender.parse("uniform")
    found = simulate(contender, POOLS[pool], num_completions=4096, num_groups=16, seed=3)
    assert found.valid_share == pytest.approx(share, abs=0.06)


def test_samplers_compete_and_the_cheapest_comes_first() -> None:
    world = World(num_problems=400, num_categories=8, critical_groups=16.0, learning=0.3)
    rows = compete(world, ["frontier", "study/adarft"], range(2), num_completions=1500)
    assert [row.name for row in rows] == ["uniform", "dapo max_draws=64", "frontier"]
    assert rows[0].completions[0] == pytest.approx(1.0)
    assert rows[2].completions[0] < 1
    lines = standings(rows).splitlines()
    assert lines[2].startswith("| frontier |")
    assert "| uniform |" in "".join(lines)


def test_frontier_is_never_far_behind_uniform() -> None:
    """The guard: where there is nothing to choose it makes as many updates of as many groups."""
    world = World(
        easiest_category=-0.3, hardest_category=0.3, spread=0.3, num_problems=800,
        critical_groups=16.0, learning=0.3,
    )  # fmt: skip
    rows = compete(world, ["frontier"], range(3), num_completions=4096)
    assert rows[2].gain[0] > -0.01


def test_every_sampler_can_be_parsed() -> None:
    assert [Contender.parse(name).name for name in SAMPLERS] == list(SAMPLERS)
