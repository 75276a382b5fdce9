"""The transformers engine samples completions about videos as the learner finds them likely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from showing import BOUNDS, SAMPLING, assert_as_learned, requests_for, shown_prompts


@pytest.mark.parametrize("model", ["tiny_glm", "tiny_qwen_vl"])
def test_logprobs_are_those_of_the_learner(
    model: str,
    request: pytest.FixtureRequest,
    transformers_engine: Callable[..., Any],
    make_image: Callable[..., Any],
    make_video: Callable[..., Any],
    make_problem: Callable[..., Any],
) -> None:
    path = request.getfixturevalue(model)
    prompts = shown_prompts(path, make_image, make_video, make_problem)
    engine = transformers_engine(path, image_tokens=BOUNDS)
    groups = engine.generate(requests_for(prompts), SAMPLING)
    assert_as_learned(path, prompts, groups)
