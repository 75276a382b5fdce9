"""How much the problems of a bucket are wanted."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import make, problems, run

from curricula import Fate, GroupResult, make_curriculum


def test_rlcs_draws_what_can_be_learned_from() -> None:
    """Six categories, of which the middle two are neither nearly solved nor nearly hopeless."""
    shares = {}
    for kind in ("rlcs", "uniform"):
        log = run(make_curriculum(kind, problems(6000), group_size=8, seed=3), range(15), 32)
        late = [fate for drawn, fates in log[5:] for fate in fates.values()]
        shares[kind] = 1 - sum(fate is Fate.INVALID for fate in late) / len(late)
    assert shares["rlcs"] > 1.4 * shares["uniform"]


def test_weights_follow_what_was_observed() -> None:
    """The more groups of a category were valid, the likelier its unseen problems are drawn."""
    before = None
    for num_valid in (0, 2, 4, 8):
        curriculum = make_curriculum("rlcs", problems(600), group_size=8, seed=0)
        names = [f"p{6 * i + 2}" for i in range(8)]  # all of category c2
        curriculum.observe(
            [GroupResult(name, 0, 4 * (i < num_valid), 8, 0) for i, name in enumerate(names)]
        )
        curriculum.draw(1, step=0)
        draws = curriculum.draw(20, step=1)
        by_category: dict[int, float] = {}
        for draw in draws:
            if draw.problem_id not in names:
                by_category[int(draw.problem_id[1:]) % 6] = draw.probability
        chance = by_category[2] / by_category[3]  # c3 was not observed
        assert before is None or chance > before
        before = chance


def test_tier_weights_move_with_their_schedule() -> None:
    """At first only easy problems are wanted, in the end only hard ones."""
    curriculum = make(
        "rlcs",
        3000,
        tier_weights=(0.0, 1.0, 0.0, 0.0, 0.0),
        tier_weights_end=(0.0, 0.0, 0.0, 1.0, 0.0),
        schedule_steps=20,
        exploration=0.0,
    )
    tiers = [Counter(draw.tier for draw in draws) for draws, _ in run(curriculum, range(24))]
    assert tiers[0]["easy"] > 10 * tiers[0]["hard"]
    assert tiers[-1]["hard"] > 10 * tiers[-1]["easy"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_weights_follow_the_posterior(data: st.DataObject) -> None:
    """The higher a category's chance of valid groups (or variance), the likelier its problems."""
    utility = data.draw(st.sampled_from(["valid", "variance"]))
    curriculum = make_curriculum(
        "posterior", problems(600), group_size=8, seed=0, utility=utility, exploration=0.05
    )
    count = st.lists(st.integers(0, 8), min_size=5, max_size=5)
    results = [
        GroupResult(f"p{6 * place + category}", 0, passes, 8, 0)
        for category in range(6)
        for place, passes in enumerate(data.draw(count))
    ]
    curriculum.observe(results)
    rates = curriculum._history.rates
    use = rates.valid_chance() if utility == "valid" else rates.variance()
    # One problem of each category that nobody has seen, and its bucket's expected use.
    names = [f"p{6 * 50 + category}" for category in range(6)]
    at = curriculum._history.buckets.bucket_of(curriculum.ids.find(names))
    expected = use.ravel()[at]
    chances = curriculum.chances(names, 10, step=1)
    order = np.argsort(expected)
    assert (np.diff(chances[order]) >= -1e-9).all()
    wider = np.diff(expected[order]) > 1e-6
    assert (np.diff(chances[order])[wider] > 0).all()
