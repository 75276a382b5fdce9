"""The size of the largest matching, beside SciPy's optimal assignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from rewards.geometry.matching import num_matched


@st.composite
def tables(draw: st.DrawFn) -> list[list[bool]]:
    width = draw(st.integers(1, 7))
    row = st.lists(st.booleans(), min_size=width, max_size=width)
    return draw(st.lists(row, min_size=1, max_size=7))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(allowed=tables())
def test_it_is_as_large_as_the_optimal_assignment(allowed: list[list[bool]]) -> None:
    table = np.array(allowed)
    rows, columns = linear_sum_assignment(table, maximize=True)
    assert num_matched(allowed) == int(table[rows, columns].sum())


@pytest.mark.parametrize(
    ("allowed", "size", "reason"),
    [
        ([], 0, "nothing on the left"),
        ([[], []], 0, "nothing on the right"),
        ([[True, True], [True, False]], 2, "the first gives way to the second"),
        ([[True]] * 50, 1, "many that want the same"),
    ],
)
def test_small_tables(allowed: list[list[bool]], size: int, reason: str) -> None:
    assert num_matched(allowed) == size, reason
