"""Which groups are trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula import Fate, GroupResult
from curricula.choosing.selection import fates


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
