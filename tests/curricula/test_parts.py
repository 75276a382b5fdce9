"""The parts below the curriculum: ids, buckets, allocation, expansion, selection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import problems

from curricula import Fate, GroupResult, SettingsError, make_curriculum
from curricula.choosing.allocation import filled, largest_remainder, rounded
from curricula.choosing.expansion import RatioAverage
from curricula.choosing.selection import fates
from curricula.knowledge.buckets import Buckets
from curricula.knowledge.ids import IdTable
from curricula.knowledge.rates import beta_binomial_valid


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, min_size=1, max_size=60))
def test_ids_are_found_again_and_foreign_ones_are_not(ids: list[str]) -> None:
    kept, foreign = ids[: len(ids) // 2 + 1], ids[len(ids) // 2 + 1 :]
    table, order = IdTable.build(kept)
    places = table.find(kept)
    assert [kept[place] for place in order] == table.texts(np.arange(len(kept)))
    assert table.texts(places) == kept
    assert sorted(places.tolist()) == list(range(len(kept)))
    assert table.find(foreign).tolist() == [-1] * len(foreign)


def test_ids_do_not_depend_on_the_order_given() -> None:
    ids = [f"problem/{i}" for i in range(5000)]
    (table, _), (reversed_table, _) = IdTable.build(ids), IdTable.build(ids[::-1])
    assert table.digest() == reversed_table.digest()
    assert table.texts(np.arange(5000)) == reversed_table.texts(np.arange(5000))
    assert table.digest() != IdTable.build(ids[:-1])[0].digest()


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (["a", "b", "a"], "more than once: 'a'"),
        (["a", ""], "1 empty"),
        (["x"] * 3, "found 1 of them more than once"),
        (["a", 7], "texts in Unicode .* int found"),
        (["a", "\ud800"], "surrogates not allowed"),
    ],
)
def test_bad_ids_are_refused(ids: list[str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        IdTable.build(ids)


@settings(max_examples=50)
@given(st.data())
def test_buckets_stay_a_partition(data: st.DataObject) -> None:
    num, num_buckets = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 9))
    bucket = st.integers(0, num_buckets - 1)
    where = np.array(data.draw(st.lists(bucket, min_size=num, max_size=num)))
    homes = where.copy()
    buckets = Buckets(where, num_buckets)
    for _ in range(3):
        moving = np.array(
            data.draw(st.lists(st.integers(0, num - 1), unique=True, max_size=num)), dtype=np.int64
        )
        targets = np.array(
            data.draw(st.lists(bucket, min_size=len(moving), max_size=len(moving))), dtype=np.int64
        )
        changing = where[moving] != targets
        buckets.move(moving[changing], where[moving][changing], targets[changing])
        where[moving] = targets
        assert buckets.bucket_of(np.arange(num)).tolist() == where.tolist()
        assert sorted(buckets.members.tolist()) == list(range(num))
        assert buckets.members[buckets.positions].tolist() == list(range(num))
    again = Buckets(homes, num_buckets)
    again.restore(homes, buckets.state())
    assert again.members.tolist() == buckets.members.tolist()
    assert again.positions.tolist() == buckets.positions.tolist()
    assert again.starts.tolist() == buckets.starts.tolist()


@given(st.data())
def test_sampling_respects_counts_and_exclusions(data: st.DataObject) -> None:
    num = data.draw(st.integers(3, 60))
    buckets = Buckets(np.arange(num) % 3, 3)
    excluded = np.array(data.draw(st.lists(st.integers(0, num - 1), unique=True)), dtype=np.int64)
    free = buckets.sizes() - np.bincount(buckets.bucket_of(excluded), minlength=3)
    counts = np.array([data.draw(st.integers(0, int(room))) for room in free])
    excluded.sort()
    rng = np.random.default_rng(0)
    chosen, inside = buckets.sample(counts, excluded, buckets.occupied(excluded), rng)
    assert inside.tolist() == buckets.bucket_of(chosen).tolist()
    assert np.bincount(buckets.bucket_of(chosen), minlength=3).tolist() == counts.tolist()
    assert len(set(chosen.tolist())) == len(chosen)
    assert not set(chosen.tolist()) & set(excluded.tolist())


@pytest.mark.parametrize("size", [12, 4000], ids=["listed", "proposed and refused"])
def test_sampling_within_a_bucket_is_even(size: int) -> None:
    buckets, rng = Buckets(np.zeros(size, dtype=int), 1), np.random.default_rng(1)
    rounds, count = (4000, 3) if size < 100 else (400, 500)
    hits = np.zeros(size)
    for _ in range(rounds):
        chosen, _ = buckets.sample(np.array([count]), np.array([5]), np.array([1]), rng)
        hits[chosen] += 1
    assert hits[5] == 0
    expected = rounds * count / (size - 1)
    deviation = np.abs(np.delete(hits, 5) - expected).max()
    assert deviation < 5 * np.sqrt(expected)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 50)), min_size=1, max_size=20),
    st.integers(0, 10**6),
)
def test_allocation_fills_exactly(parts: list[tuple[float, int]], seed: int) -> None:
    shares = np.array([share for share, _ in parts])
    room = np.array([room for _, room in parts])
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, room.sum() + 1))
    expected = filled(shares, room, count)
    assert expected.sum() == pytest.approx(count)
    assert (expected <= room + 1e-9).all()
    counts = rounded(expected, room, count, rng)
    assert counts.sum() == count
    assert (np.abs(counts - expected) < 1 + 1e-6).all()
    assert ((counts >= 0) & (counts <= room)).all()


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
    at = curriculum._history.buckets.bucket_of(curriculum._ids.find(names))
    expected = use.ravel()[at]
    chances = curriculum.chances(names, 10, step=1)
    order = np.argsort(expected)
    assert (np.diff(chances[order]) >= -1e-9).all()
    wider = np.diff(expected[order]) > 1e-6
    assert (np.diff(chances[order])[wider] > 0).all()


def test_rounding_is_unbiased() -> None:
    expected, room = np.array([0.3, 1.5, 0.2, 3.0]), np.array([9, 9, 9, 9])
    rng = np.random.default_rng(2)
    mean = np.mean([rounded(expected, room, 5, rng) for _ in range(4000)], axis=0)
    assert mean == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("shares", "count", "expected"),
    [
        ([1, 1], 5, [3, 2]),
        ([0.5, 0.3, 0.2], 10, [5, 3, 2]),
        ([0.34, 0.33, 0.33], 2, [1, 1, 0]),
        ([1, 0], 3, [3, 0]),
    ],
)
def test_largest_remainder(shares: list[float], count: int, expected: list[int]) -> None:
    assert largest_remainder(np.array(shares), count).tolist() == expected


@pytest.mark.parametrize(
    ("steps", "decay", "cap", "expected"),
    [
        # (valid, told) of each step -> expansion after it, by hand
        ([(4, 5), (1, 5), (4, 5)], 0.5, 9, [1.25, (1.25 + 5) / 2, (3.125 + 1.25) / 2]),
        ([(0, 8), (8, 8)], 0.5, 4, [4, 2.5]),  # a step without a valid group counts as the cap
        ([(1, 100)], 0.5, 4, [4]),  # capped before averaging
        ([(4, 8), (0, 0), (4, 8)], 0.9, 4, [2, 2, 2]),  # nothing told: nothing changes
    ],
)
def test_ratio_average_by_hand(
    steps: list[tuple[int, int]], decay: float, cap: float, expected: list[float]
) -> None:
    average = RatioAverage(initial=2.0, decay=decay, cap=cap)
    values = []
    for valid, told in steps:
        average.observe(valid, told)
        values.append(average.value)
        average.end_step()
        assert average.value == values[-1]
    assert values == pytest.approx(expected)
    assert average.steps_without_valid == sum(told > 0 and not valid for valid, told in steps)


def test_ratio_average_of_an_alternating_rate() -> None:
    """The published point: averaging the ratio gives 3.75 where averaging the rate gives 2.50."""
    average = RatioAverage(initial=1.0, decay=0.5, cap=100)
    for _ in range(60):
        for valid in (8, 2):
            average.observe(valid, 10)
            average.end_step()
    assert average.value == pytest.approx(3.75)


def test_expansion_does_not_care_how_a_step_is_observed() -> None:
    whole, parts = (RatioAverage(initial=1, decay=0.5, cap=9) for _ in range(2))
    whole.observe(3, 10)
    for valid, told in ((1, 4), (0, 3), (2, 3)):
        parts.observe(valid, told)
    assert whole.value == parts.value == pytest.approx(10 / 3)


@pytest.mark.parametrize(
    ("a", "b", "group_size", "expected"),
    [
        (1, 1, 8, 1 - 2 / 9),  # uniform: every number of passes equally likely
        (1, 1, 2, 1 / 3),
        (1e6, 1e6, 4, 1 - 2 / 16),  # a fair coin
    ],
)
def test_chance_of_a_valid_group(a: float, b: float, group_size: int, expected: float) -> None:
    assert beta_binomial_valid(a, b, group_size) == pytest.approx(expected, abs=1e-5)


def group(name: str, passes: int, attempts: int = 8, errors: int = 0) -> GroupResult:
    return GroupResult(name, 0, passes, attempts, errors)


@pytest.mark.parametrize(
    ("results", "num_groups", "expected"),
    [
        ([group("a", 0), group("b", 8)], 2, "invalid invalid"),
        ([group("a", 1), group("b", 4), group("c", 3)], 2, "surplus trained trained"),
        ([group("a", 2), group("b", 6)], 1, "trained surplus"),  # a tie: the earlier one
        ([group("a", 0, 0, 8)], 1, "errored"),
        ([group("a", 1, 1, 7)], 1, "errored"),  # seven unknown: it might have been valid
        ([group("a", 7, 7, 1)], 1, "invalid"),  # one unknown: all right but for our failure
        ([group("a", 1, 2, 6)], 1, "trained"),
        ([], 1, ""),
    ],
)
def test_fates(results: list[GroupResult], num_groups: int, expected: str) -> None:
    fate, unfilled = fates(
        results, num_groups, domains=np.zeros(len(results), dtype=int), domain_shares=None
    )
    assert [fate[result.problem_id] for result in results] == [Fate(e) for e in expected.split()]
    assert unfilled == 0


@pytest.mark.parametrize(
    ("shares", "num_groups", "expected", "unfilled"),
    [
        ([0.5, 0.5], 2, "trained surplus surplus trained", 0),
        ([1.0, 0.0], 2, "trained trained surplus surplus", 0),
        ([0.0, 1.0], 2, "trained surplus surplus trained", 1),  # d alone cannot fill two places
    ],
)
def test_quotas(shares: list[float], num_groups: int, expected: str, unfilled: int) -> None:
    """Domain 0 has a, b, c, better balanced than d, which is all that domain 1 has."""
    results = [group(name, passes) for name, passes in (("a", 4), ("b", 3), ("c", 2), ("d", 1))]
    fate, short = fates(
        results, num_groups, domains=np.array([0, 0, 0, 1]), domain_shares=np.array(shares)
    )
    assert [fate[result.problem_id] for result in results] == [Fate(e) for e in expected.split()]
    assert short == unfilled


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 2)), max_size=30),
    st.integers(1, 10),
    st.booleans(),
)
def test_every_group_gets_a_fate(
    counts: list[tuple[int, int, int]], num_groups: int, quotas: bool
) -> None:
    results = [
        group(str(i), min(passes, 8 - errors), 8 - errors, errors)
        for i, (passes, errors, _) in enumerate(counts)
    ]
    domains = np.array([domain for _, _, domain in counts], dtype=int)
    shares = np.array([0.5, 0.3, 0.2]) if quotas else None
    fate, _ = fates(results, num_groups, domains=domains, domain_shares=shares)
    assert set(fate) == {result.problem_id for result in results}
    valid = [result for result in results if result.valid]
    trained = [r for r in results if fate[r.problem_id] == Fate.TRAINED]
    assert len(trained) == min(num_groups, len(valid))
    assert all(result.valid for result in trained)
