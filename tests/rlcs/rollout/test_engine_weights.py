"""An engine serves one whole version of the weights, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from rlcs.errors import EngineError
from rlcs.model.weights import Weights, to_array
from rlcs.rollout.engine import Sampling

SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=8, max_answer_tokens=2)


def weights_of(engine: Any) -> Weights:
    return {name: to_array(parameter) for name, parameter in engine.model.named_parameters()}


def misshapen(weights: Weights) -> Weights:
    name = next(iter(weights))
    return {**weights, name: weights[name][:-1]}


def incomplete(weights: Weights) -> Weights:
    return dict(list(weights.items())[:-1])


def foreign(weights: Weights) -> Weights:
    return {**weights, "visual.patch": np.zeros(3, dtype=np.float32)}


def two_buckets(weights: Weights) -> list[Weights]:
    items = list(weights.items())
    return [dict(items[:5]), dict(items[5:])]


BROKEN = [
    pytest.param(misshapen, "expects shape", id="wrong shape"),
    pytest.param(incomplete, "did not come", id="missing name"),
    pytest.param(foreign, "unknown", id="unknown name"),
    pytest.param(lambda weights: {}, "did not come", id="nothing at all"),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_after_a_failed_load_nothing_is_served(
    broken: Callable[[Weights], Weights], message: str, make_engine, make_request
) -> None:
    engine = make_engine()
    requests = [make_request(1, 5, (1, 2))]
    weights = weights_of(engine)
    before = engine.generate(requests, SAMPLING)
    with pytest.raises(EngineError, match=message):
        engine.load_weights(1, [broken(weights)])
    with pytest.raises(EngineError, match="no complete version"):
        engine.generate(requests, SAMPLING)
    with pytest.raises(EngineError, match="no complete version"):
        _ = engine.policy_version
    engine.load_weights(2, two_buckets(weights))
    after = engine.generate(requests, SAMPLING)
    assert engine.policy_version == 2
    assert {completion.policy_version for completion in after[0]} == {2}
    assert {completion.policy_version for completion in before[0]} == {0}
    assert after[0][0].token_ids.tolist() == before[0][0].token_ids.tolist()


def test_new_weights_are_used(make_engine, make_request) -> None:
    engine = make_engine(eos_token_ids=())
    draw = np.random.default_rng(0)
    weights = {
        name: draw.normal(0, 0.2, array.shape).astype(np.float32)
        for name, array in weights_of(engine).items()
    }
    for array in weights.values():
        array.flags.writeable = False  # as arrays come out of Ray
    request = make_request(1, 5, (1, 2, 3))
    (before,) = engine.generate([request], SAMPLING)
    engine.load_weights(7, two_buckets(weights))
    (after,) = engine.generate([request], SAMPLING)
    assert [c.token_ids.tolist() for c in before] != [c.token_ids.tolist() for c in after]
    for name, array in weights_of(engine).items():
        np.testing.assert_array_equal(array, weights[name])


def test_bfloat16_arrives_bit_for_bit(make_engine) -> None:
    source, target = make_engine(dtype="bfloat16"), make_engine(dtype="bfloat16")
    draw = np.random.default_rng(0)
    weights = {
        name: draw.integers(0, 2**16, array.shape, dtype=np.uint16)
        for name, array in weights_of(source).items()
    }
    target.load_weights(1, [weights])
    for name, array in weights_of(target).items():
        assert array.dtype == np.uint16
        np.testing.assert_array_equal(array, weights[name])


def test_a_bfloat16_engine_generates(make_engine, make_request, full_logprobs) -> None:
    engine = make_engine(dtype="bfloat16", eos_token_ids=())
    request = make_request(1, 9, tuple(range(8)))
    (group,) = engine.generate([request], SAMPLING)
    assert next(engine.model.parameters()).dtype == torch.bfloat16
    for completion in group:
        expected = full_logprobs(engine.model, request.prompt, completion)
        np.testing.assert_allclose(completion.logprobs, expected, atol=0.05)
