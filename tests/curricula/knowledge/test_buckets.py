"""Problems in buckets, moved and sampled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curricula.knowledge.buckets import Buckets


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
