"""Weights as arrays: bit for bit there and back, all of them or none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as arrays

from rlcs.errors import EngineError
from rlcs.weights import load_arrays, to_array


@given(arrays.arrays(np.uint16, arrays.array_shapes(max_dims=3, max_side=6)))
def test_bfloat16_bit_for_bit(bits: np.ndarray) -> None:
    """Every pattern of bits, not-a-numbers and negative zero included."""
    tensor = torch.from_numpy(bits.copy()).view(torch.bfloat16)
    array = to_array(tensor)
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, bits)
    target = torch.zeros_like(tensor)
    load_arrays([("w", target)], {"w": array})
    np.testing.assert_array_equal(target.view(torch.uint16).numpy(), bits)


@given(arrays.arrays(np.float32, arrays.array_shapes(max_dims=3, max_side=6)))
def test_float32_bit_for_bit(values: np.ndarray) -> None:
    array = to_array(torch.from_numpy(values))
    target = torch.zeros(values.shape)
    load_arrays([("w", target)], {"w": array})
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
    load_arrays([("w", target)], {"w": to_array(tensor)})
    assert target.tolist() == [1.5, -0.25]


def array_of(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=np.float32)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        pytest.param({"a": array_of(2)}, r"missing \['b'\]", id="missing"),
        pytest.param(
            {"a": array_of(2), "b": array_of(3), "c": array_of(1)}, r"unknown \['c'\]", id="unknown"
        ),
        pytest.param(
            {"a": array_of(2), "b": array_of(1, 3)},
            r"parameter b: the engine expects shape \(3,\), the learner sent \(1, 3\)",
            id="shape that would broadcast",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(weights, message) -> None:
    parameters = [("a", torch.zeros(2)), ("b", torch.zeros(3))]
    with pytest.raises(EngineError, match=message):
        load_arrays(parameters, weights)
    assert not any(target.any() for _, target in parameters)
