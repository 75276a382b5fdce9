"""The shares of the domains, in draws and in selection."""

from collections import Counter

import numpy as np
import pytest
from worlds import make, problems, run

from curricula import Fate, GroupResult, SettingsError, make_curriculum
from curricula.choosing.domains import FixedShares


def test_fixed_ratios_hold_in_draws_and_in_selection() -> None:
    curriculum = make("rlcs", domains="fixed", domain_ratios={"math": 1, "chart": 3})
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    drawn: Counter[str] = Counter()
    trained: Counter[str] = Counter()
    for draws, fate in run(curriculum, range(10)):
        drawn.update(domain[draw.problem_id] for draw in draws)
        trained.update(domain[name] for name, each in fate.items() if each is Fate.TRAINED)
    assert drawn["chart"] / drawn.total() == pytest.approx(0.75, abs=0.02)
    assert trained["chart"] / trained.total() == pytest.approx(0.75, abs=0.04)


def test_a_quota_that_cannot_be_met_is_counted() -> None:
    curriculum = make("rlcs", domains="fixed", domain_ratios={"math": 1, "chart": 1})
    draws = curriculum.draw(16, step=0)
    math_ids = {problem.problem_id for problem in problems(600) if problem.domain == "math"}
    results = [
        GroupResult(draw.problem_id, 0, 4 if draw.problem_id in math_ids else 0, 8, 0)
        for draw in draws
    ]
    curriculum.observe(results)
    fate = curriculum.select(results, 16)
    assert curriculum.metrics()["num_unfilled_quota"] == 8
    assert sum(each is Fate.TRAINED for each in fate.values()) > 8


def test_draws_that_a_domain_has_no_problems_for_are_counted() -> None:
    rows = [p for p in problems(600) if p.domain == "math" or int(p.problem_id[1:]) < 12]
    curriculum = make_curriculum(
        "rlcs", rows, group_size=8, seed=0, domains="fixed", domain_ratios={"math": 1, "chart": 1}
    )
    draws = curriculum.draw(40, step=0)  # expanded to 60, but there are 6 problems of charts
    charts = {row.problem_id for row in rows if row.domain == "chart"}
    assert sum(draw.problem_id in charts for draw in draws) == 6
    assert curriculum.metrics()["num_displaced_draws"] == 24


def test_selection_keeps_the_shares_of_the_draw() -> None:
    """Learning progress observed between the two must not move the quotas of the step."""
    curriculum = make("rlcs", domains="progress", domain_floor=0.1)
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    for step in range(8):
        draws = curriculum.draw(32, step=step)
        drawn = sum(domain[draw.problem_id] == "chart" for draw in draws) / len(draws)
        moved = {"math": 4, "chart": 1 + 6 * (step % 2)}
        results = [
            GroupResult(d.problem_id, step, moved[domain[d.problem_id]], 8, 0) for d in draws
        ]
        curriculum.observe(results)
        fate = curriculum.select(results, 20)
        trained = [name for name, each in fate.items() if each is Fate.TRAINED]
        share = sum(domain[name] == "chart" for name in trained) / len(trained)
        assert share == pytest.approx(drawn, abs=0.06)


def test_progress_goes_to_the_domain_that_moves() -> None:
    curriculum = make("rlcs", domains="progress", domain_floor=0.1, expansion="predicted")
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    share = 0.0
    for step in range(20):
        draws = curriculum.draw(32, step=step)
        share = sum(domain[draw.problem_id] == "chart" for draw in draws) / len(draws)
        passes = {"math": 4, "chart": 2 + 4 * (step // 5 % 2)}
        curriculum.observe(
            [GroupResult(d.problem_id, step, passes[domain[d.problem_id]], 8, 0) for d in draws]
        )
    assert share > 0.8


@pytest.mark.parametrize(
    ("ratios", "why"),
    [
        ({"math": 1}, "none for 'chart'"),
        ({"math": 1, "chart": 1, "ocr": 1}, "'ocr', of which there are no problems"),
        ({"math": 0, "chart": 0}, "only zeros"),
        ({"math": -1, "chart": 1}, "not below 0, found -1"),
        ({"math": float("nan"), "chart": 1}, "not below 0, found nan"),
        ({}, "together with"),
    ],
)
def test_bad_ratios_are_refused(ratios: dict[str, float], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make("rlcs", domains="fixed", domain_ratios=ratios)
    with pytest.raises(SettingsError, match="at most 1 / 2"):
        make("rlcs", domains="progress", domain_floor=0.6)


def test_shares_of_a_refill_by_hand() -> None:
    """Of 16 groups 12 are wanted of charts; 3 of them and all of the sums are valid."""
    shares = FixedShares(["chart", "math"], {"math": 1, "chart": 3})
    valid = np.array([True] * 7)
    shares.observe(np.array([0, 0, 0, 1, 1, 1, 1]), np.zeros(7), valid)
    assert shares.of_draw(9) == pytest.approx([1, 0])
    shares.observe(np.array([0, 1]), np.zeros(2), np.array([True, False]))
    assert shares.of_draw(24) == pytest.approx([(24 - 4) / 24, (8 - 4) / 24])
    other = FixedShares(["chart", "math"], {"math": 1, "chart": 3})
    other.restore(shares.state())
    assert other.of_draw(24) == pytest.approx(shares.of_draw(24))
    shares.end_step()
    assert shares.of_draw(9) == pytest.approx([0.75, 0.25])


def test_refills_keep_the_shares_of_the_domains() -> None:
    """Charts fail twice in three times, sums never: the batch is half of each all the same."""
    curriculum = make(
        "frontier", max_draws=20, domains="fixed", domain_ratios={"math": 1, "chart": 1}
    )
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    trained: Counter[str] = Counter()
    for step in range(6):
        results: list[GroupResult] = []
        while draws := curriculum.draw(16, step=step):
            some = [
                GroupResult(
                    draw.problem_id,
                    step,
                    4 if domain[draw.problem_id] == "math" or i % 3 == 0 else 0,
                    8,
                    0,
                )
                for i, draw in enumerate(draws)
            ]
            curriculum.observe(some)
            results += some
        fates = curriculum.select(results, 16)
        trained.update(domain[name] for name, fate in fates.items() if fate is Fate.TRAINED)
    assert trained.total() == 6 * 16
    assert trained["chart"] == pytest.approx(6 * 8, abs=3)
    assert curriculum.metrics()["num_fate_surplus"] <= 6
    with pytest.raises(SettingsError, match="max_draws or expansion_cap"):
        make("frontier", max_draws=2, expansion_cap=2)
