"""What the learner computes of videos is what the model itself says of its processor's inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from own_forward import completed, own_logprobs, own_processor

from rlcs.config import ImageTokensSection
from rlcs.data import Renderer
from rlcs.learner.forward import PackedForward
from rlcs.learner.packing import pack
from rlcs.learner.policy import Policy
from rlcs.model.loading import load_model
from rlcs.types import Image, Problem, Prompt, Video

CPU = torch.device("cpu")


@pytest.fixture(params=["tiny_glm", "tiny_qwen_vl"])
def model_path(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def forward(model_path: str) -> PackedForward:
    policy = Policy(load_model(model_path, "float32"), recompute_activations=True)
    return PackedForward(policy.train(), CPU, model_path)


def assert_own(
    forward: PackedForward, prompts: list[Prompt], model_path: str, image_tokens: Any = None
) -> None:
    """All of ``prompts`` in one packed row are as each in a row of its own."""
    samples = completed(prompts, (5, 3))
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    assert len(micro_batch.trees) == len(prompts)
    found, _ = forward.token_outputs(micro_batch, temperature=1.0)
    model, processor = load_model(model_path, "float32"), own_processor(model_path, image_tokens)
    expected = [
        own_logprobs(
            model,
            processor,
            prompts[index // 2],
            samples[index].token_ids[samples[index].num_prompt_tokens :],
        )
        for index in micro_batch.sample_indices
    ]
    torch.testing.assert_close(found, torch.cat(expected), rtol=0, atol=2e-5)


def test_videos_and_pictures_in_one_packed_row(
    forward: PackedForward,
    model_path: str,
    make_image: Callable[..., Image],
    make_video: Callable[..., Video],
    make_problem: Callable[..., Problem],
) -> None:
    renderer = Renderer.load(model_path, max_prompt_tokens=500)
    video, odd, picture = make_video(1), make_video(2, 9, 60, 84), make_image(3, 112, 160)
    shown: list[tuple[Image | Video, ...]] = [(video,), (odd,), (picture,), ()]
    if "qwen" in model_path:  # GLM's own forward pass takes only one of the two kinds
        shown.append((odd, picture))
    prompts = [renderer.render(make_problem("What happens?", *each)) for each in shown]
    assert_own(forward, prompts, model_path)


def test_other_frames_are_another_prompt(
    forward: PackedForward,
    model_path: str,
    make_video: Callable[..., Video],
    make_problem: Callable[..., Problem],
) -> None:
    renderer = Renderer.load(model_path, max_prompt_tokens=500)
    prompts = [renderer.render(make_problem("What?", make_video(seed))) for seed in (1, 2)]
    assert prompts[0].token_ids.tolist() == prompts[1].token_ids.tolist()
    assert_own(forward, prompts, model_path)


def test_a_bound_on_tokens_is_the_same_for_the_renderer_and_the_learner(
    model_path: str, make_image: Callable[..., Image], make_problem: Callable[..., Problem]
) -> None:
    bounds = ImageTokensSection(min=2, max=6)
    renderer = Renderer.load(model_path, max_prompt_tokens=500, image_tokens=bounds)
    policy = Policy(load_model(model_path, "float32"), recompute_activations=True)
    forward = PackedForward(policy.train(), CPU, model_path, image_tokens=bounds)
    images = [make_image(seed, *size) for seed, size in enumerate([(300, 200), (20, 20), (60, 90)])]
    prompts = [renderer.render(make_problem("Which?", image)) for image in images]
    for prompt, image in zip(prompts, images, strict=True):
        number = len(forward.reader.image_tokens(image))
        assert 2 <= number <= 6
        assert np.isin(prompt.token_ids, forward.reader.image_token_ids).sum() == number
    assert_own(forward, prompts, model_path, bounds)


def test_a_video_is_processed_once(
    forward: PackedForward, make_video: Callable[..., Video]
) -> None:
    video = make_video(1)
    first = forward.reader.pixels([video], CPU)
    gone = dataclasses.replace(video, stored=(b"gone",))
    again = forward.reader.pixels([gone, video], CPU)
    assert torch.equal(again["pixel_values"], torch.cat([first["pixel_values"]] * 2))
