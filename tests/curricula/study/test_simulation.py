"""What the simulated learner says about the curricula."""

import math

import numpy as np
import pytest

from curricula import SETTINGS
from curricula.study.contender import Contender
from curricula.study.learner import World
from curricula.study.simulation import compare, simulate, table

SMALL = World(num_problems=400, num_categories=8)


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


def test_intervals() -> None:
    contenders = [Contender(name="a", kind="uniform")]
    rows = compare(contenders, SMALL, num_completions=2000, seeds=[0])
    assert math.isnan(rows[0].accuracy_interval)  # one seed says nothing about the spread
    assert np.isfinite(rows[0].accuracy)
