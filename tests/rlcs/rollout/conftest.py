"""Engines around the tiny model, and what a whole forward pass says about a completion."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch

sys.path.insert(0, str(Path(__file__).parent))  # the helpers import by name

from seeing import SIZES

from rlcs.cluster.fetch import fetch
from rlcs.data import Renderer
from rlcs.rollout.actors import RolloutActor
from rlcs.rollout.engines.transformers.engine import TransformersEngine
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Completion, FinishReason, Image, Problem, Prompt

NEVER = ()
"""End tokens of an engine whose completions run to their budget."""
OFTEN = tuple(range(1, 400, 12))
"""About one token in twelve ends a completion, so that rows end at very different times."""


@pytest.fixture(scope="session")
def make_engine(
    tiny_model: str, transformers_engine: Callable[..., TransformersEngine]
) -> Callable[..., TransformersEngine]:
    """Makes an engine in this process."""

    def make(
        *,
        eos_token_ids: tuple[int, ...] = OFTEN,
        batch_tokens: int = 100_000,
        model_path: str = tiny_model,
        dtype: str = "float32",
    ) -> TransformersEngine:
        return transformers_engine(
            model_path, dtype=dtype, batch_tokens=batch_tokens, eos_token_ids=eos_token_ids
        )

    return make


@pytest.fixture(scope="session")
def engine(make_engine: Callable[..., TransformersEngine]) -> TransformersEngine:
    """An engine that ends rows often; tests leave its weights as they are."""
    return make_engine()


@pytest.fixture(scope="session")
def full_logprobs() -> Callable[..., np.ndarray]:
    """Log-probabilities [T] of a completion's tokens by one unpadded pass without a cache."""

    def compute(model: Any, prompt: Prompt, completion: Completion, temperature: float = 1.0):
        token_ids = torch.from_numpy(np.concatenate([prompt.token_ids, completion.token_ids]))[None]
        with torch.no_grad():
            logits = model(token_ids, use_cache=False).logits[0].double() / temperature
        first = len(prompt.token_ids)
        predicted = logits.log_softmax(-1)[first - 1 : -1]
        return predicted.gather(-1, token_ids[0, first:, None])[:, 0].numpy()

    return compute


@pytest.fixture
def make_completion() -> Callable[..., Completion]:
    """Makes a completion of three tokens."""

    def make(**replaced: Any) -> Completion:
        fields: dict[str, Any] = {
            "problem_id": "p",
            "token_ids": np.arange(3),
            "logprobs": np.full(3, -1.0, dtype=np.float32),
            "loss_mask": np.ones(3, dtype=bool),
            "text": "",
            "finish_reason": FinishReason.STOP,
            "policy_version": 0,
        }
        return Completion(**{**fields, **replaced})

    return make


@pytest.fixture(scope="session")
def seen_prompts(
    tiny_glm: str, make_image: Callable[..., Image], make_problem: Callable[..., Problem]
) -> list[Prompt]:
    """The same words about pictures of several sizes, about two of them, and about none."""
    renderer = Renderer.load(tiny_glm, max_prompt_tokens=500)
    images = [make_image(seed, *size) for seed, size in enumerate(SIZES)]
    shown = [*((image,) for image in images), (images[0], images[2]), ()]
    return [
        renderer.render(make_problem("How many?", *pictures, problem_id=f"p{number}"))
        for number, pictures in enumerate(shown)
    ]


@pytest.fixture(scope="module")
def start_vllm(
    plan: Any, make_settings: Callable[..., EngineSettings]
) -> Iterator[Callable[..., Any]]:
    """Starts vLLM around a model in an actor; it takes most of a minute, so once a file."""
    actors = []

    def start(model_path: str, eos_token_ids: tuple[int, ...], **settings: Any) -> Any:
        actor: Any = ray.remote(RolloutActor).options(**plan.engine_options(0)).remote()
        actors.append(actor)
        asked = make_settings(model_path, engine="vllm", eos_token_ids=eos_token_ids, **settings)
        fetch(actor.start.remote(asked), waiting_for="vLLM", timeout=300)
        return actor

    yield start
    for actor in actors:
        ray.kill(actor)
