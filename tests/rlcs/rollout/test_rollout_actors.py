"""Engines in Ray actors: many draw what one draws, and a dead one is named."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray

from rlcs.cluster import ProcessPlan
from rlcs.config import VllmSection
from rlcs.errors import EngineError, ModelError
from rlcs.rollout.actors import EngineSettings, RolloutPool, make_engine
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.weights import Publication, Weights, to_array

pytestmark = pytest.mark.long

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=20, max_answer_tokens=5, force_answer="</think><answer>"
)


@pytest.fixture(scope="module")
def settings(tiny_model: str) -> EngineSettings:
    return EngineSettings(
        engine="transformers",
        model_path=tiny_model,
        dtype="float32",
        device="cpu",
        num_threads=1,
        batch_tokens=1000,
        eos_token_ids=tuple(range(1, 400, 12)),
        max_row_tokens=100,
        vllm=VllmSection(),
    )


@pytest.fixture(scope="module")
def pool(settings: EngineSettings, plan: ProcessPlan) -> Iterator[RolloutPool]:
    pool = RolloutPool(settings, num_actors=2, plan=plan)
    pool.wait_until_ready()
    yield pool
    for actor in pool.actors:
        ray.kill(actor)


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    return [make_request(problem, 3 + 7 * problem % 11, (problem, 9)) for problem in range(5)]


def test_two_engines_draw_what_one_draws(pool, settings, requests) -> None:
    expected = make_engine(settings).generate(requests, SAMPLING)
    groups = pool.generate(requests, SAMPLING)
    for group, wanted in zip(groups, expected, strict=True):
        for one, other in zip(group, wanted, strict=True):
            assert one.problem_id == other.problem_id
            assert one.token_ids.tolist() == other.token_ids.tolist()
            np.testing.assert_allclose(one.logprobs, other.logprobs, atol=2e-5)


def test_fewer_requests_than_engines(pool, requests) -> None:
    assert pool.generate([], SAMPLING) == []
    (group,) = pool.generate(requests[:1], SAMPLING)
    assert [completion.problem_id for completion in group] == [requests[0].prompt.problem_id] * 2


def test_a_failed_publication_leaves_no_engine_serving(pool, settings, requests) -> None:
    named = make_engine(settings).model.named_parameters()
    weights = {name: to_array(parameter) for name, parameter in named}
    before = pool.generate(requests, SAMPLING)
    broken = {name: array[:1] for name, array in weights.items()}
    with pytest.raises(EngineError, match="expects shape"):
        pool.publish(4, publication(broken))
    with pytest.raises(EngineError, match="no complete version"):
        pool.generate(requests, SAMPLING)
    pool.publish(5, publication(weights))
    after = pool.generate(requests, SAMPLING)
    assert {completion.policy_version for group in after for completion in group} == {5}
    for one, other in zip(before, after, strict=True):
        assert [c.token_ids.tolist() for c in one] == [c.token_ids.tolist() for c in other]


def test_an_engine_that_cannot_start_says_why(settings, plan, tmp_path: Path) -> None:
    missing = dataclasses.replace(settings, model_path=str(tmp_path))
    pool = RolloutPool(missing, num_actors=1, plan=plan)
    with pytest.raises(ModelError, match=r"expected a model folder with config\.json"):
        pool.wait_until_ready()
    ray.kill(pool.actors[0])


def test_a_dead_engine_is_named(pool, requests) -> None:
    """The last test of this file: the pool is of no use after it."""
    victim = psutil.Process(ray.get(pool.actors[1].__ray_call__.remote(own_pid)))
    victim.kill()
    victim.wait(10)
    with pytest.raises(EngineError, match="a rollout actor to generate died") as caught:
        pool.generate(requests, SAMPLING)
    assert "rlcs train --resume" in str(caught.value)


def publication(weights: Weights) -> Publication:
    return Publication(buckets=tuple(ray.put({name: weights[name]}) for name in weights))


def own_pid(_: object) -> int:
    return os.getpid()
