"""vLLM serves adapters: each version's own, and before the first the model alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ray
import torch
import transformers

from rlcs.cluster.fetch import fetch
from rlcs.config import LoraSection
from rlcs.errors import EngineError
from rlcs.model.loading import load_model
from rlcs.model.lora import adapter_parameters, add_adapters
from rlcs.model.weights import Probe, Publication, to_array
from rlcs.rollout.engine import Sampling
from rlcs.types import Prompt

pytestmark = pytest.mark.long

LORA = LoraSection(rank=4, alpha=8)
SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=12, max_answer_tokens=6, force_answer="</think>"
)
ATOL = 1e-4


@pytest.fixture(scope="module")
def actor(tiny_model: str, start_vllm: Callable[..., Any]) -> Any:
    return start_vllm(tiny_model, (5, 50, 90), lora=LORA)


@pytest.fixture(scope="module")
def adapted(tiny_model: str) -> Any:
    """The model with adapters, which tests change."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    return add_adapters(model, LORA).eval()


def publication(model: Any, token_ids: np.ndarray, *, shift: float = 0.0) -> Publication:
    weights = {name: to_array(each) for name, each in adapter_parameters(model).items()}
    row = torch.from_numpy(token_ids)[None]
    with torch.no_grad():
        logprobs = model(row).logits[0, :-1].log_softmax(-1).gather(-1, row[0, 1:, None])[:, 0]
    prompt = Prompt(problem_id="probe", token_ids=token_ids)
    probe = Probe(prompt=prompt, logprobs=logprobs.numpy() + shift, dtype="float32")
    return Publication(
        buckets=tuple(ray.put({name: array}) for name, array in weights.items()),
        probe=ray.put(probe),
    )


def test_each_version_draws_with_its_own_adapters(
    actor: Any, adapted: Any, make_request: Callable[..., Any], full_logprobs: Callable[..., Any]
) -> None:
    requests = [make_request(problem, 40, tuple(range(6))) for problem in range(4)]
    draw = torch.Generator().manual_seed(0)
    drawn_before: list[list[int]] = []
    for version in range(4):
        if version:
            for parameter in adapter_parameters(adapted).values():
                parameter.data += 0.3 * torch.randn(parameter.shape, generator=draw)
            load = actor.load_weights.remote(version, publication(adapted, np.arange(11, 60)))
            fetch(load, waiting_for="vLLM", timeout=300)
        groups = fetch(actor.generate.remote(requests, SAMPLING), waiting_for="", timeout=300)
        for request, group in zip(requests, groups, strict=True):
            for completion in group:
                assert completion.policy_version == version
                expected = full_logprobs(adapted, request.prompt, completion)
                mask = completion.loss_mask
                np.testing.assert_allclose(completion.logprobs[mask], expected[mask], atol=ATOL)
        drawn = [completion.token_ids.tolist() for group in groups for completion in group]
        assert drawn != drawn_before
        drawn_before = drawn


def test_adapters_that_say_something_else_are_not_served(
    actor: Any, adapted: Any, make_request: Callable[..., Any]
) -> None:
    wrong = publication(adapted, np.arange(11, 60), shift=1e-3)
    load = actor.load_weights.remote(7, wrong)
    with pytest.raises(EngineError, match="does not serve the weights"):
        fetch(load, waiting_for="vLLM", timeout=300)
    generate = actor.generate.remote([make_request(0, 5, (1,))], SAMPLING)
    with pytest.raises(EngineError, match="no complete version"):
        fetch(generate, waiting_for="vLLM", timeout=300)


@pytest.mark.stress  # an engine of its own
def test_a_model_that_sees_is_served_with_adapters(
    tiny_glm: str, start_vllm: Callable[..., Any]
) -> None:
    """They are in the language model alone: vLLM refuses GLM-4.1V's in the vision tower."""
    model = add_adapters(load_model(tiny_glm, "float32"), LORA).eval()
    actor = start_vllm(tiny_glm, (5, 50, 90), lora=LORA)
    draw = torch.Generator().manual_seed(0)
    for version in (1, 2):
        for parameter in adapter_parameters(model).values():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=draw)
        # The engine compares its log-probabilities of a text with the model's before it serves.
        load = actor.load_weights.remote(version, publication(model, np.arange(11, 60)))
        fetch(load, waiting_for="vLLM", timeout=300)
