"""From shares to whole numbers of draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula.choosing.allocation import filled, largest_remainder, rounded


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
