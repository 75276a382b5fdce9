"""Forecasts: what is taken from a pool, and what choosing is then expected to save."""

import numpy as np
import pytest

from curricula.study.contender import Contender
from curricula.study.forecast import KnownLearner, Pool, forecast
from curricula.study.learner import World

EASY, HARD = ("math", "easy"), ("math", "hard")
RATES = np.array([0.9] * 300 + [0.1] * 100)
CATEGORIES = [EASY] * 300 + [HARD] * 100


def accuracy(held_out: list[tuple[str, str]]) -> float:
    pool = Pool(categories=CATEGORIES, rates=RATES, graded=True, held_out=held_out)
    return KnownLearner(pool, World(), seed=0).accuracy()


def test_accuracy_is_that_of_the_held_out_mix() -> None:
    assert accuracy([]) == pytest.approx((3 * 0.9 + 0.1) / 4)
    assert accuracy([EASY, HARD]) == pytest.approx((0.9 + 0.1) / 2)
    assert accuracy([HARD, HARD, EASY]) == pytest.approx((0.9 + 2 * 0.1) / 3)
    assert accuracy([HARD, ("math", "new")]) == pytest.approx(0.1), (
        "what is not trained is left out"
    )
    assert accuracy([("math", "new")]) == accuracy([])


def test_choosing_saves_more_where_what_is_rare_is_what_counts() -> None:
    """Nearly all problems are hopeless or solved; those that can be learned are held out."""
    rates = np.array([0.0] * 500 + [0.97] * 400 + [0.4] * 100)
    categories = [HARD] * 500 + [EASY] * 400 + [("math", "middle")] * 100

    def saving(held_out: list[tuple[str, str]]) -> float:
        pool = Pool(categories=categories, rates=rates, graded=True, held_out=held_out)
        return forecast(
            pool,
            Contender.parse("frontier"),
            num_steps=12,
            num_groups=16,
            group_size=8,
            num_pairs=6,
        ).saving

    assert saving([("math", "middle")]) > saving([]) + 0.05
