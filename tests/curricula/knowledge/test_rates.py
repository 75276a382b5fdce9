"""The running rates of buckets."""

import pytest

from curricula.knowledge.rates import beta_binomial_valid


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
