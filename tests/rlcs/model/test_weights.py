"""Weights as arrays: bit for bit there and back, all of them or none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rlcs.errors import EngineError
from rlcs.model.weights import Probe, load_arrays, plan_buckets, to_array
from rlcs.types import Prompt


@given(arrays.arrays(np.uint16, arrays.array_shapes(max_dims=3, max_side=6)))
def test_bfloat16_bit_for_bit(bits: np.ndarray) -> None:
    """Every pattern of bits, not-a-numbers and negative zero included."""
    tensor = torch.from_numpy(bits.copy()).view(torch.bfloat16)
    array = to_array(tensor)
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, bits)
    target = torch.zeros_like(tensor)
    load_arrays({"w": target}, [{"w": array}])
    np.testing.assert_array_equal(target.view(torch.uint16).numpy(), bits)


@given(arrays.arrays(np.float32, arrays.array_shapes(max_dims=3, max_side=6)))
def test_float32_bit_for_bit(values: np.ndarray) -> None:
    array = to_array(torch.from_numpy(values))
    target = torch.zeros(values.shape)
    load_arrays({"w": target}, [{"w": array}])
    assert target.numpy().tobytes() == np.ascontiguousarray(values).tobytes()


def test_the_array_is_a_copy_of_its_own() -> None:
    tensor = torch.zeros(4, 3)
    array = to_array(tensor.t())
    tensor.fill_(1)
    assert array.shape == (3, 4)
    assert not array.any()
    parameter = torch.nn.Parameter(torch.ones(2))
    assert to_array(parameter).tolist() == [1, 1]


def test_bfloat16_weights_into_a_float32_engine() -> None:
    tensor = torch.tensor([1.5, -0.25], dtype=torch.bfloat16)
    target = torch.zeros(2)
    load_arrays({"w": target}, [{"w": to_array(tensor)}])
    assert target.tolist() == [1.5, -0.25]


def array_of(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.float32)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        pytest.param(
            {"a": array_of(2), "b": array_of(3), "c": array_of(1)},
            r"unknown ones: \['c'\]",
            id="unknown",
        ),
        pytest.param(
            {"a": array_of(2), "b": array_of(1, 3)},
            r"parameter b: the engine expects shape \(3,\), the learner sent \(1, 3\)",
            id="shape that would broadcast",
        ),
    ],
)
def test_a_bucket_that_does_not_fit_changes_nothing(weights, message) -> None:
    parameters = {"a": torch.zeros(2), "b": torch.zeros(3)}
    with pytest.raises(EngineError, match=message):
        load_arrays(parameters, [weights])
    assert not any(target.any() for target in parameters.values())


@pytest.mark.parametrize("buckets", [[], [{}], [{"b": array_of(3)}]])
def test_all_parameters_must_come(buckets) -> None:
    parameters = {"a": torch.zeros(2), "b": torch.zeros(3)}
    with pytest.raises(EngineError, match=r"did not come, among them \['a'"):
        load_arrays(parameters, buckets)


sizes = st.dictionaries(st.text(max_size=3), st.integers(0, 100), max_size=12)


@given(sizes, st.integers(1, 120))
def test_buckets_keep_to_their_bound(sizes: dict[str, int], max_bytes: int) -> None:
    buckets = plan_buckets(sizes, max_bytes)
    assert [name for bucket in buckets for name in bucket] == list(sizes)
    for bucket in buckets:
        assert len(bucket) == 1 or sum(sizes[name] for name in bucket) <= max_bytes
    for bucket, after in itertools.pairwise(buckets):
        assert sum(sizes[name] for name in [*bucket, after[0]]) > max_bytes, "no bucket too many"


@pytest.mark.parametrize(
    ("shift", "passes"),
    [(0.0, True), (4e-4, True), (6e-4, False), (float("nan"), False)],
)
def test_a_probe_finds_other_weights(shift: float, passes: bool) -> None:
    logprobs = np.array([-1.0, -2.0, -3.0], dtype=np.float32)
    prompt = Prompt(problem_id="p", token_ids=np.arange(4))
    probe = Probe(prompt=prompt, logprobs=logprobs, dtype="float32")
    if passes:
        probe.check(logprobs + shift)
        return
    with pytest.raises(EngineError, match="does not serve the weights that were published"):
        probe.check(logprobs - shift)


@pytest.mark.parametrize(
    ("step", "engine_has", "passes"),
    [
        pytest.param(1e-4, 1.0, True, id="the new weights"),
        pytest.param(1e-4, 0.0, False, id="the old weights, within the tolerance"),
        pytest.param(1e-4, 0.4, False, id="some layers kept old values"),
        pytest.param(3e-5, 0.0, True, id="a step too small to be told from noise"),
        pytest.param(0.0, 1.0, True, id="the same weights again"),
    ],
)
def test_a_probe_tells_a_version_from_the_one_before(
    step: float, engine_has: float, passes: bool
) -> None:
    before = np.array([-1.0, -2.0, -3.0], dtype=np.float32)
    change = np.array([step, -step, step], dtype=np.float32)
    prompt = Prompt(problem_id="p", token_ids=np.arange(4))
    probe = Probe(prompt=prompt, logprobs=before + change, dtype="float32", previous=before)
    if passes:
        probe.check(before + engine_has * change)
        return
    with pytest.raises(EngineError, match="nearer to those of the version before"):
        probe.check(before + engine_has * change)
