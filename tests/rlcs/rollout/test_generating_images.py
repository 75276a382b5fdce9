"""Completions about pictures come from the model's own distribution over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from seeing import SAMPLING, logprobs_of

from rlcs.data import Renderer
from rlcs.model.loading import load_model
from rlcs.rollout.engine import GroupRequest
from rlcs.types import Prompt


def test_logprobs_are_those_of_the_policy(
    seen_prompts: list[Prompt], tiny_glm: str, make_engine: Callable[..., Any]
) -> None:
    eos = Renderer.load(tiny_glm, max_prompt_tokens=500).eos_token_ids
    engine = make_engine(model_path=tiny_glm, eos_token_ids=eos)
    model = load_model(tiny_glm, "float32").eval()
    requests = [GroupRequest(prompt=prompt, seeds=(1, 2, 3)) for prompt in seen_prompts]
    groups = engine.generate(requests, SAMPLING)
    for prompt, group in zip(seen_prompts, groups, strict=True):
        for completion in group:
            expected = logprobs_of(model, tiny_glm, prompt, completion)
            drawn = completion.loss_mask
            np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=2e-5)


def test_the_picture_matters(
    seen_prompts: list[Prompt], tiny_glm: str, make_engine: Callable[..., Any]
) -> None:
    engine = make_engine(model_path=tiny_glm, eos_token_ids=())
    first, other = seen_prompts[0], seen_prompts[3]
    assert first.token_ids.tolist() == other.token_ids.tolist()
    requests = [GroupRequest(prompt=prompt, seeds=(1, 2)) for prompt in (first, other)]
    (one, _), (two, _) = engine.generate(requests, SAMPLING)
    assert one.logprobs[0] != two.logprobs[0]
