"""What the learner computes of completions about pictures is what the model says row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoProcessor

from rlcs.data import Renderer
from rlcs.learner.forward import CompletionForward
from rlcs.learner.packing import pack
from rlcs.model.loading import decode_image, load_model
from rlcs.types import Image, Problem, Prompt, TrainingSample

SIZES = [(112, 112), (112, 160), (56, 200)]


class Engine:
    """A model as the forward pass sees a DeepSpeed engine."""

    def __init__(self, model_path: str) -> None:
        self.module = load_model(model_path, "float32").double()

    def __call__(self, **inputs: Any) -> Any:
        return self.module(**inputs)


@pytest.fixture
def prompts(
    tiny_glm: str, make_image: Callable[..., Image], make_problem: Callable[..., Problem]
) -> list[Prompt]:
    """Two of the same words and another picture, one of two pictures, one of none."""
    renderer = Renderer.load(tiny_glm, max_prompt_tokens=500)
    pictures = [make_image(seed, *size) for seed, size in enumerate(SIZES)]
    twin = make_image(9, *SIZES[0])
    shown = [(pictures[0],), (twin,), (pictures[1], pictures[2]), ()]
    texts = ["How many?", "How many?", "<image> or the longer one, <image>?", "2 + 2?"]
    return [
        renderer.render(make_problem(text, *images))
        for text, images in zip(texts, shown, strict=True)
    ]


def samples_of(prompts: list[Prompt]) -> list[TrainingSample]:
    draw = np.random.default_rng(0)
    return [
        TrainingSample(
            token_ids=np.concatenate([prompt.token_ids, draw.integers(20, 300, num_drawn)]),
            num_prompt_tokens=len(prompt.token_ids),
            old_logprobs=np.zeros(num_drawn, dtype=np.float32),
            loss_mask=np.ones(num_drawn, dtype=bool),
            advantage=1.0,
            images=prompt.images,
        )
        for prompt in prompts
        for num_drawn in (1, 7, 4)
    ]


def row_by_row(model: Any, sample: TrainingSample, model_path: str) -> torch.Tensor:
    """Log-probabilities of a completion by the processor's own inputs, without padding."""
    processor: Any = AutoProcessor.from_pretrained(model_path)
    token_ids = torch.from_numpy(sample.token_ids)[None]
    of_image = torch.tensor(processor.create_mm_token_type_ids(token_ids.tolist()))
    inputs: dict[str, Any] = {"input_ids": token_ids, "mm_token_type_ids": of_image}
    if sample.images:
        decoded = [decode_image(image) for image in sample.images]
        inputs |= processor.image_processor(images=decoded, return_tensors="pt")
    logits = model(**inputs, use_cache=False).logits[0, sample.num_prompt_tokens - 1 : -1]
    targets = token_ids[0, sample.num_prompt_tokens :, None]
    return logits.float().log_softmax(-1).gather(-1, targets)[:, 0]


@pytest.mark.parametrize("num_completions", [1, 3], ids=["alone", "groups"])
def test_log_probabilities_and_gradient(
    num_completions: int, prompts: list[Prompt], tiny_glm: str
) -> None:
    engine = Engine(tiny_glm)
    forward = CompletionForward(engine, torch.device("cpu"), tiny_glm)
    samples = samples_of(prompts)
    if num_completions == 1:
        samples = samples[1::3]
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    assert len(micro_batch.prompt_ids) == 4, "equal words of another picture are another prompt"

    found = forward.logprobs(micro_batch, temperature=1.0)
    mask = torch.from_numpy(micro_batch.completion_mask)
    (found * mask).square().sum().backward()
    parameters = dict(engine.module.named_parameters())
    gradients = {name: parameter.grad for name, parameter in parameters.items()}
    assert any("visual" in name and grad is not None for name, grad in gradients.items())
    engine.module.zero_grad()
    expected = [
        row_by_row(engine.module, samples[index], tiny_glm) for index in micro_batch.sample_indices
    ]
    sum(row.square().sum() for row in expected).backward()

    for row, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(row[: len(wanted)], wanted, rtol=1e-5, atol=1e-5)
    for name, parameter in parameters.items():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-4, msg=name)
