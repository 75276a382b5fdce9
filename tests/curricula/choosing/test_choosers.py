"""Which problems are drawn, and with which probability."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import make, problems, run

from curricula import GroupResult, make_curriculum


def test_inverse_probabilities_estimate_totals_under_thompson_sampling() -> None:
    """The probabilities are random themselves, yet 1 / probability sums to the problems there are.

    Only up to those that retired, re-tests of which are too rare to average out here.
    """
    curriculum = make("posterior", 60, thompson=True, retire_evidence=1000.0)
    run(curriculum, range(6), num_groups=8)
    state = curriculum.state_dict()
    totals = []
    for seed in range(1500):
        curriculum.load_state_dict(state | {"rng": np.random.PCG64(seed).state})
        totals.append(sum(1 / draw.probability for draw in curriculum.draw(8, step=6)))
    num_resting = len(state["recent"][5])  # the least gap is one step
    assert np.mean(totals) == pytest.approx(60 - num_resting, rel=0.06)


def test_uniform_visits_every_problem_once_an_epoch() -> None:
    curriculum = make("uniform", 50)
    for _ in range(3):
        seen = [d.problem_id for s in range(5) for d in curriculum.draw(10, step=s + _ * 5)]
        assert len(set(seen)) == 50


def test_least_gap_holds_and_is_given_up_visibly() -> None:
    roomy = make("rlcs", 600, min_gap=3)
    last: dict[str, int] = {}
    for step, (drawn, _) in enumerate(run(roomy, range(20))):
        assert all(step - last.get(draw.problem_id, -9) > 3 for draw in drawn)
        last.update({draw.problem_id: step for draw in drawn})
    assert roomy.metrics()["num_relaxed_draws"] == 0
    narrow = make("rlcs", 40, min_gap=3)
    run(narrow, range(5))
    assert narrow.metrics()["num_relaxed_draws"] > 0


def test_retirement_and_re_test() -> None:
    curriculum = make_curriculum(
        "rlcs", problems(60), group_size=8, seed=0, retest_after=5, retest_share=0.5, min_gap=0
    )
    every = [problem.problem_id for problem in problems(60)]
    for step in range(3):
        curriculum.observe(
            [GroupResult(n, step, 8 * (i < 20), 8, 0) for i, n in enumerate(every[:40])]
        )
    assert curriculum.metrics()["solved"] == 20
    assert curriculum.metrics()["hopeless"] == 20
    tested: Counter[str] = Counter()
    for step in range(3, 43):
        draws = curriculum.draw(2, step=step)  # expanded to 8: nothing was valid so far
        tested.update(draw.problem_id for draw in draws)
    share = sum(tested[name] for name in every[:40]) / sum(tested.values())
    assert 0.4 < share <= 0.55  # 40 every 5 steps are 8 a step, of which half is allowed
    curriculum.observe([GroupResult("p0", 60, 4, 8, 0)])
    assert curriculum.metrics()["solved"] == 19


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["rlcs", "posterior"]),
    st.lists(st.integers(0, 8), min_size=6, max_size=40),
    st.integers(0, 3),
    st.integers(0, 1000),
)
def test_probabilities_of_all_problems_sum_to_the_draws(
    kind: str, passes: list[int], min_gap: int, seed: int
) -> None:
    """Whatever was observed, retired or rests: the chances of all problems sum to the draws."""
    curriculum = make_curriculum(
        kind, problems(80), group_size=8, seed=seed, min_gap=min_gap, retire_evidence=8.0
    )
    for step in range(3):
        drawn = [draw.problem_id for draw in curriculum.draw(8, step=step)]
        curriculum.observe(
            [
                GroupResult(name, step, passes[(i + step) % len(passes)], 8, 0)
                for i, name in enumerate(drawn)
            ]
        )
    names = [row.problem_id for row in problems(80)]
    chances = curriculum.chances(names, 12, step=3)
    assert chances.sum() == pytest.approx(12)
    assert ((chances >= 0) & (chances <= 1 + 1e-9)).all()
