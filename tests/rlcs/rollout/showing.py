"""Prompts about pictures and videos, and what the learner says of completions that answer them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from rlcs.config import ImageTokensSection
from rlcs.data import Renderer
from rlcs.learner.forward import PackedForward
from rlcs.learner.packing import pack
from rlcs.learner.policy import Policy
from rlcs.model.loading import load_model
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.types import Completion, Prompt, TrainingSample

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=12, max_answer_tokens=6, force_answer="</think><answer>"
)
BOUNDS = ImageTokensSection(min=2, max=12)


def shown_prompts(
    model_path: str, make_image: Callable, make_video: Callable, make_problem: Callable
) -> list[Prompt]:
    """Pictures beyond both bounds, videos of even and odd numbers of frames, both, and none."""
    renderer = Renderer.load(model_path, max_prompt_tokens=500, image_tokens=BOUNDS)
    large, small, thin = make_image(1, 300, 200), make_image(2, 20, 20), make_image(3, 398, 2)
    video, odd = make_video(4), make_video(5, 9, 60, 84)
    asked = [
        ("How many?", (large,)),
        ("<image> or <image>, or the thin one, <image>?", (large, small, thin)),
        ("What happens?", (video,)),
        ("<image>Does it look like this? <video>", (small, odd)),
        ("2 + 2?", ()),
    ]
    return [
        renderer.render(make_problem(text, *pictures, problem_id=f"p{number}"))
        for number, (text, pictures) in enumerate(asked)
    ]


def requests_for(prompts: Sequence[Prompt]) -> list[GroupRequest]:
    return [GroupRequest(prompt=prompt, seeds=(1, 2, 3)) for prompt in prompts]


def assert_as_learned(
    model_path: str, prompts: Sequence[Prompt], groups: Sequence[tuple[Completion, ...]]
) -> None:
    """The learner finds every sampled token as likely as the engine said, in one packed row."""
    policy = Policy(load_model(model_path, "float32"), recompute_activations=False)
    forward = PackedForward(policy.eval(), torch.device("cpu"), model_path, image_tokens=BOUNDS)
    samples = [
        TrainingSample(
            token_ids=np.concatenate([prompt.token_ids, completion.token_ids]),
            num_prompt_tokens=len(prompt.token_ids),
            old_logprobs=completion.logprobs,
            loss_mask=completion.loss_mask,
            advantage=1.0,
            images=prompt.images,
        )
        for prompt, group in zip(prompts, groups, strict=True)
        for completion in group
    ]
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    with torch.no_grad():
        found, _ = forward.token_outputs(micro_batch, temperature=1.0)
    np.testing.assert_allclose(found.numpy(), micro_batch.old_logprobs, atol=5e-5)
