"""Seeds depend on everything they are for, and on nothing else."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from rlcs.seeds import derive_seed

parts = st.one_of(st.integers(), st.text(alphabet=st.characters(exclude_characters="\x1f")))


@given(st.integers(0, 2**40), st.lists(parts, max_size=4))
def test_in_range_and_repeatable(run_seed: int, purpose: list[int | str]) -> None:
    seed = derive_seed(run_seed, *purpose)
    assert 0 <= seed < 2**63
    assert seed == derive_seed(run_seed, *purpose)


@given(
    st.tuples(st.integers(), st.lists(parts, max_size=3)),
    st.tuples(st.integers(), st.lists(parts, max_size=3)),
)
def test_another_purpose_another_seed(one, other) -> None:
    if one != other:
        assert derive_seed(one[0], *one[1]) != derive_seed(other[0], *other[1])


def test_neighbours_share_nothing() -> None:
    seeds = {
        derive_seed(run_seed, "rollout", step, problem, index)
        for run_seed in range(5)
        for step in range(10)
        for problem in ("1", "11", "a")
        for index in range(8)
    }
    assert len(seeds) == 5 * 10 * 3 * 8
    assert derive_seed(1, "x", 2) != derive_seed(2, "x", 1)
    assert derive_seed(0, 1) != derive_seed(0, "1"), "a number is not its digits"
    assert derive_seed(0, "ab", "c") != derive_seed(0, "a", "bc")
    assert derive_seed(0) != derive_seed(0, "")


def test_the_same_in_another_process() -> None:
    """Python's own hash is not: it is salted."""
    program = "from rlcs.seeds import derive_seed; print(derive_seed(7, 'rollout', 3, '数'))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(found.stdout) == derive_seed(7, "rollout", 3, "数")
