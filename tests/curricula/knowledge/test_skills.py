"""Skills and offsets: one update by hand, drift, spreads, sums that stay those of the problems."""

import math

import numpy as np
import pytest
from worlds import chance, make, problems, run

from curricula import CurriculumProblem, GroupResult, SamplingCurriculum, make_curriculum
from curricula.knowledge.skill_history import SkillHistory


def world(rates: list[float | None], category: str = "c", num: int = 1) -> SamplingCurriculum:
    rows = [
        CurriculumProblem(
            problem_id=f"{category}{i}", domain="math", category=category, prior_pass_rate=rate
        )
        for i, rate in enumerate(rates * num)
    ]
    return make_curriculum("frontier", rows, group_size=8, seed=0)


def tell(curriculum: SamplingCurriculum, step: int, **passes: int) -> None:
    curriculum.follow(list(passes), step=step)
    curriculum.observe([GroupResult(name, step, count, 8, 0) for name, count in passes.items()])


def history(curriculum: SamplingCurriculum) -> SkillHistory:
    found = curriculum._history
    assert isinstance(found, SkillHistory)
    return found


def moments(mean: float, variance: float) -> tuple[float, float]:
    """E[p] and E[p (1 - p)] of a Gaussian logit, by adding up a fine grid."""
    total = rate = slope = 0.0
    for i in range(-6000, 6001):
        weight = math.exp(-((i / 1000) ** 2) / 2)
        p = 1 / (1 + math.exp(-(mean + i / 1000 * math.sqrt(variance))))
        total, rate, slope = total + weight, rate + weight * p, slope + weight * p * (1 - p)
    return rate / total, slope / total


def test_one_group_moves_the_skill_and_the_problem_as_computed_by_hand() -> None:
    curriculum = world([None, None])
    tell(curriculum, 0, c0=6)
    skill, offset = 9.0, 1.5
    _, slope = moments(0.0, skill + offset)
    told = slope**2 / (slope**2 * offset + slope / 8)
    doubt = 1 / (1 / skill + told)
    mean = doubt * told * (0.75 - 0.5) / slope
    rates = history(curriculum).rates
    assert rates.doubt[0] == pytest.approx(doubt, rel=0.06)
    assert rates.skill[0] == pytest.approx(mean, rel=0.06)
    expected, slope = moments(rates.skill[0], rates.doubt[0] + offset)
    gain = offset * slope / (slope**2 * offset + slope / 8)
    assert history(curriculum).offset[0] == pytest.approx(gain * (0.75 - expected), rel=0.05)
    assert history(curriculum).doubt[0] == pytest.approx(
        (1 - gain * slope) * offset + 0.05, rel=0.05
    )


def test_what_others_of_the_category_do_moves_a_problem_seen_long_ago() -> None:
    curriculum = world([None], num=60)
    tell(curriculum, 0, **{f"c{i}": i % 2 for i in range(20)})
    before = curriculum.predict(["c0", "c1", "c50"], step=1)
    for step in range(1, 9):
        tell(curriculum, step, **{f"c{i}": 6 for i in range(20, 40)})
    after = curriculum.predict(["c0", "c1", "c50"], step=9)
    assert (after > before + 0.2).all(), "the whole category has become easier"
    assert after[0] < after[1], "and keeps its order"


def test_a_retired_looking_problem_comes_back_by_review() -> None:
    curriculum = world([None], num=200)
    for step in range(6):
        tell(
            curriculum,
            step,
            **{f"c{i}": 8 for i in range(40)},
            **{f"c{i}": 4 for i in range(40, 80)},
        )
    chances = curriculum.chances([f"c{i}" for i in range(200)], 16, step=8)
    assert (chances >= 0.9 * 0.02 * 16 / 200).all(), "the review reaches every problem"
    assert chances[:40].mean() < 0.3 * chances[40:80].mean()


def test_the_spread_of_a_category_is_learned() -> None:
    wide, narrow = world([None], num=80), world([None], num=80)
    for i in range(40):
        tell(wide, i, **{f"c{i}": 8 * (i % 2)})
        tell(narrow, i, **{f"c{i}": 4})
    spreads = [history(each).rates.spread_of(np.array([0]))[0] for each in (wide, narrow)]
    assert spreads[0] > 1.5 > spreads[1]


def test_offline_grades_give_the_start() -> None:
    curriculum = world([0.9, 0.5, 0.1, None])
    rates = curriculum.predict(["c0", "c1", "c2", "c3"], step=0)
    assert rates[0] > rates[1] > rates[2]
    assert rates[3] == pytest.approx(0.5, abs=0.01)


def test_sums_of_the_buckets_are_those_of_their_problems() -> None:
    curriculum = make("frontier", 600)
    run(curriculum, range(40))
    found = history(curriculum)
    at = found.buckets.bucket_of(np.arange(600))
    offset, doubt = found.offset.astype(np.float64), found.doubt.astype(np.float64)
    for sums, values in zip(
        found.rates.members, (np.ones(600), offset, offset**2 + doubt), strict=True
    ):
        by_hand = np.bincount(at, values, minlength=sums.size).reshape(sums.shape)
        assert sums == pytest.approx(by_hand, abs=1e-6)


def test_predictions_are_better_than_those_of_the_running_rates() -> None:
    errors = {}
    for kind in ("frontier", "posterior"):
        curriculum = make_curriculum(kind, problems(600), group_size=8, seed=1)
        run(curriculum, range(20))
        names = [f"p{i}" for i in range(600)]
        true = np.array([chance(name) for name in names])
        errors[kind] = float(np.abs(curriculum.predict(names, step=20) - true).mean())
    assert errors["frontier"] < 0.8 * errors["posterior"]


def test_a_step_makes_as_many_groups_as_uniform_sampling() -> None:
    curriculum = make("frontier", 600)
    assert {len(draws) for draws, _ in run(curriculum, range(12), num_groups=16)} == {16}
    wider = make("frontier", 600, expansion_cap=3)
    assert max(len(draws) for draws, _ in run(wider, range(12), num_groups=16)) > 16


def test_what_a_problem_costs_in_memory() -> None:
    plain, skills = make("posterior", 600), make("frontier", 600)
    assert skills.num_bytes - plain.num_bytes < 5 * 600


def test_a_table_starts_skills_too() -> None:
    first = make_curriculum("frontier", problems(600), group_size=8, seed=1)
    run(first, range(20))
    second = make_curriculum("frontier", problems(600), group_size=8, seed=1)
    second.start_from(first.export_difficulty())
    names = [f"p{i}" for i in range(600)]
    true = np.array([chance(name) for name in names])
    assert np.abs(second.predict(names, step=0) - true).mean() < 0.15


def test_another_problem_set_takes_over_what_is_known() -> None:
    first = make_curriculum("frontier", problems(600), group_size=8, seed=1)
    run(first, range(20))
    names = [f"p{i}" for i in range(100, 600)]
    second = make_curriculum("frontier", problems(600)[100:], group_size=8, seed=1)
    second.load_state_dict(first.state_dict(), reconcile=True)
    expected = first.predict(names, step=20)
    assert second.predict(names, step=20) == pytest.approx(expected, abs=0.02)
    found = history(second)
    at = found.buckets.bucket_of(np.arange(500))
    sums = found.rates.members
    held = np.bincount(at, minlength=sums[0].size).reshape(sums[0].shape)
    assert sums[0] == pytest.approx(held), "every problem is counted in its bucket, once"
    run(second, range(20, 24))
