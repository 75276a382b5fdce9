"""vLLM makes of pictures and videos what the learner makes of them, with bounds of tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from showing import BOUNDS, SAMPLING, assert_as_learned, requests_for, shown_prompts

from rlcs.cluster.fetch import fetch
from rlcs.data import Renderer
from rlcs.rollout.settings import most_shown

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    "model", ["tiny_glm", pytest.param("tiny_qwen_vl", marks=pytest.mark.stress)]
)
def test_logprobs_are_those_of_the_learner(
    model: str,
    request: pytest.FixtureRequest,
    start_vllm: Callable[..., Any],
    make_image: Callable[..., Any],
    make_video: Callable[..., Any],
    make_problem: Callable[..., Any],
) -> None:
    path = request.getfixturevalue(model)
    prompts = shown_prompts(path, make_image, make_video, make_problem)
    eos = Renderer.load(path, max_prompt_tokens=500).eos_token_ids
    shown = most_shown(prompts)
    assert shown == {"image": 3, "video": 1}
    actor = start_vllm(path, eos, image_tokens=BOUNDS, max_row_tokens=256, most_shown=shown)
    asked = actor.generate.remote(requests_for(prompts), SAMPLING)
    groups = fetch(asked, waiting_for="vLLM", timeout=300)
    assert_as_learned(path, prompts, groups)
