"""What a completion of each category costs: by hand, in draws, and over saving and loading."""

import numpy as np
import pytest
from worlds import assert_same_state

from curricula import (
    CurriculumProblem,
    GroupResult,
    ObservationError,
    SamplingCurriculum,
    make_curriculum,
)
from curricula.knowledge.prices import Prices
from curricula.knowledge.skill_history import SkillHistory
from curricula.plain import pack, unpack


def frontier(**settings: float) -> SamplingCurriculum:
    rows = [
        CurriculumProblem(problem_id=f"{category}{i}", domain="math", category=category)
        for category in ("long", "short")
        for i in range(100)
    ]
    return make_curriculum("frontier", rows, group_size=8, seed=0, exploration=0, **settings)


def prices(curriculum: SamplingCurriculum) -> Prices:
    history = curriculum._history
    assert isinstance(history, SkillHistory)
    return history.rates.prices


def tell(curriculum: SamplingCurriculum, step: int, long: int, short: int, errors: int = 0) -> None:
    """Two groups of each category, half of them passed, with so many tokens a completion."""
    curriculum.observe(
        [
            GroupResult(f"{category}{2 * step + i}", step, 4, 8 - errors, errors, tokens=8 * each)
            for category, each in (("long", long), ("short", short))
            for i in range(2)
        ]
    )


def test_prices_are_as_computed_by_hand() -> None:
    found = Prices(3)
    assert found.relative().tolist() == [1, 1, 1]
    found.observe(np.array([0, 1, 0, 2]), np.array([800, 160, 640, 0]), np.array([8, 8, 8, 8]))
    mean = 1600 / 24
    assert found.relative() == pytest.approx([(1440 / mean + 16) / 32, (160 / mean + 16) / 24, 1.0])


def test_prices_age_with_the_policy() -> None:
    curriculum = frontier(rate_discount=0.5)
    tell(curriculum, 0, long=100, short=20, errors=2)  # which have lengths, too
    assert prices(curriculum).sums.tolist() == [[1600, 320], [16, 16]]
    tell(curriculum, 2, long=40, short=40)
    assert prices(curriculum).sums.tolist() == [[400 + 640, 80 + 640], [4 + 16, 4 + 16]]


def test_weights_are_divided_by_prices() -> None:
    plain, priced = frontier(price_exponent=0), frontier(price_exponent=2)
    for each in (plain, priced):
        for step in range(4):
            tell(each, step, long=90, short=10)
    names = ["long50", "short50"]
    without, with_ = (each.explain(names, 16, step=4)["weight"] for each in (plain, priced))
    assert without[0] == pytest.approx(without[1])
    price = prices(priced).relative()
    assert price[0] > 1.5 > 0.6 > price[1]
    assert with_[0] / with_[1] == pytest.approx((price[1] / price[0]) ** 2)
    drawn = [draw.problem_id for draw in priced.draw(40, step=4)]
    assert sum(name.startswith("short") for name in drawn) > 30


def test_without_tokens_nothing_costs_more() -> None:
    plain, priced = frontier(price_exponent=0), frontier(price_exponent=3)
    for each in (plain, priced):
        tell(each, 0, long=0, short=0)
    assert plain.draw(16, step=1) == priced.draw(16, step=1)
    with pytest.raises(ObservationError, match="0 <= tokens"):
        plain.observe([GroupResult("long9", 1, 4, 8, 0, tokens=-1)])


def test_prices_are_saved_and_taken_over_by_name() -> None:
    first, same = frontier(price_exponent=1), frontier(price_exponent=1)
    tell(first, 0, long=90, short=10)
    state = unpack(pack(first.state_dict()))
    same.load_state_dict(state)
    assert_same_state(same.state_dict(), first.state_dict())
    rows = [
        CurriculumProblem(problem_id=f"{category}{i}", domain="math", category=category)
        for category in ("extra", "long")
        for i in range(100)
    ]
    other = make_curriculum("frontier", rows, group_size=8, seed=0)
    other.load_state_dict(state, reconcile=True)
    assert prices(other).sums.tolist() == [[0, 1440], [0, 16]]
