"""What a rank is told of where the others are, and what DeepSpeed is told of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rlcs.config import RanksSection
from rlcs.learner.deepspeed_config import deepspeed_config
from rlcs.learner.rank_settings import ranks_per_node


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        pytest.param("a", 0, id="one rank"),
        pytest.param("aaaa", 0, id="one node"),
        pytest.param("aabb", 2, id="two nodes"),
        pytest.param("abcd", 1, id="one rank a node"),
        pytest.param("aab", 0, id="not as many on each"),
        pytest.param("abab", 0, id="not in order"),
    ],
)
def test_ranks_per_node(hosts, expected) -> None:
    assert ranks_per_node(list(hosts)) == expected


@pytest.mark.parametrize(
    ("stage", "per_node", "told"),
    [
        pytest.param(3, 8, 8, id="weights are cut over nodes"),
        pytest.param(3, 0, None, id="one node"),
        pytest.param(2, 8, None, id="weights are whole on every rank"),
    ],
)
def test_weights_are_gathered_within_a_node(stage, per_node, told, make_settings) -> None:
    config = deepspeed_config(make_settings(zero_stage=stage, num_ranks=16), 10**9, per_node)
    assert config["zero_optimization"].get("zero_hpz_partition_size") == told


def test_an_optimiser_on_the_host_needs_zero() -> None:
    with pytest.raises(ValidationError, match="offload_optimizer needs a zero_stage of 1, 2 or 3"):
        RanksSection(offload_optimizer=True)
