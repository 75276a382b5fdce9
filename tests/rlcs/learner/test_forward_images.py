"""What the learner computes of completions about pictures is what the model says row by row."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from own_forward import completed
from transformers import AutoProcessor

from rlcs.data import Renderer
from rlcs.learner.forward import PackedForward
from rlcs.learner.packing import pack
from rlcs.learner.policy import Policy
from rlcs.model import prompt_reader
from rlcs.model.loading import decode_image, load_model
from rlcs.types import Image, Problem, Prompt, TrainingSample

SIZES = [(112, 112), (112, 160), (56, 200)]


def in_float64(model: Any) -> Any:
    """``model`` with norms that do not compute in float32 whatever the type of the weights."""

    def norm(module: Any, hidden: torch.Tensor) -> torch.Tensor:
        epsilon = getattr(module, "variance_epsilon", None) or module.eps
        return module.weight * hidden * (hidden.square().mean(-1, keepdim=True) + epsilon).rsqrt()

    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = types.MethodType(norm, module)
    return model.double()


class Engine:
    """A policy as the forward pass sees a DeepSpeed engine."""

    def __init__(self, model_path: str) -> None:
        self.plain = in_float64(load_model(model_path, "float32"))
        model = in_float64(load_model(model_path, "float32"))
        self.module = Policy(model, recompute_activations=True).train()

    def __call__(self, *places: Any, **inputs: Any) -> Any:
        return self.module(*places, **inputs)


@pytest.fixture(params=["tiny_glm", "tiny_qwen_vl"])
def model_path(request: pytest.FixtureRequest) -> str:
    """Both architectures of models that see."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def prompts(
    model_path: str, make_image: Callable[..., Image], make_problem: Callable[..., Problem]
) -> list[Prompt]:
    """Two of the same words and another picture, one of two pictures, one of none."""
    renderer = Renderer.load(model_path, max_prompt_tokens=500)
    pictures = [make_image(seed, *size) for seed, size in enumerate(SIZES)]
    twin = make_image(9, *SIZES[0])
    shown = [(pictures[0],), (twin,), (pictures[1], pictures[2]), ()]
    texts = ["How many?", "How many?", "<image> or the longer one, <image>?", "2 + 2?"]
    return [
        renderer.render(make_problem(text, *images))
        for text, images in zip(texts, shown, strict=True)
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
    return logits.log_softmax(-1).gather(-1, targets)[:, 0]


@pytest.mark.parametrize("num_completions", [1, 3], ids=["alone", "groups"])
def test_log_probabilities_and_gradient(
    num_completions: int, prompts: list[Prompt], model_path: str
) -> None:
    engine = Engine(model_path)
    forward = PackedForward(engine, torch.device("cpu"), model_path)
    samples = completed(prompts, (1, 7, 4))
    if num_completions == 1:
        samples = samples[1::3]
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    assert len(micro_batch.trees) == 4, "equal words of another picture are another prompt"

    found, _ = forward.token_outputs(micro_batch, temperature=1.0)
    found.square().sum().backward()
    expected = torch.cat(
        [
            row_by_row(engine.plain, samples[index], model_path)
            for index in micro_batch.sample_indices
        ]
    )
    expected.square().sum().backward()

    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    wanted = dict(engine.plain.named_parameters())
    for name, parameter in engine.module.model.named_parameters():
        # Vision towers rotate, and GLM's places its pictures, in float32 whatever their own type.
        near = 1e-6 if "visual" in name else 1e-9
        torch.testing.assert_close(
            parameter.grad,
            wanted[name].grad,
            rtol=near,
            atol=near,
            msg=name,
        )


def test_without_a_picture_the_vision_tower_gets_a_gradient_of_zero(
    prompts: list[Prompt], model_path: str
) -> None:
    """All ranks must have gradients of the same parameters, whatever they were given."""
    engine = Engine(model_path)
    forward = PackedForward(engine, torch.device("cpu"), model_path)
    samples = completed(prompts, (1, 7, 4))[-3:]
    ((text_only,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    assert not text_only.needs_vision
    micro_batch = dataclasses.replace(text_only, needs_vision=True)
    outputs, gradients = [], []
    for each in (text_only, micro_batch):
        engine.module.zero_grad()
        found, _ = forward.token_outputs(each, temperature=1.0)
        found.square().sum().backward()
        outputs.append(found)
        gradients.append({n: p.grad for n, p in engine.module.model.named_parameters()})
    torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-10)
    for name, gradient in gradients[1].items():
        assert gradient is not None, name
        if gradients[0][name] is None:
            assert "visual" in name
            assert not gradient.any(), name
        else:
            torch.testing.assert_close(gradient, gradients[0][name], rtol=1e-9, atol=1e-9)
    assert any(gradient is None for gradient in gradients[0].values())


def test_a_picture_is_processed_once(
    prompts: list[Prompt], model_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(model_path)
    reader = PackedForward(engine, torch.device("cpu"), model_path).reader
    images = [image for prompt in prompts for image in prompt.images]
    first = reader.pixels(images, torch.device("cpu"))
    monkeypatch.setattr(prompt_reader, "decode_image", None)
    again = reader.pixels(images, torch.device("cpu"))
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_completion_that_ends_in_a_picture_s_token(
    prompts: list[Prompt], model_path: str
) -> None:
    """A model may sample one; it ends the completion and stands for no picture."""
    engine = Engine(model_path)
    forward = PackedForward(engine, torch.device("cpu"), model_path)
    image_token = forward.reader.image_token_ids[0]
    samples = completed(prompts, (1, 7, 4))[1::3]
    for sample in samples:
        sample.token_ids[-1] = image_token
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    assert (micro_batch.targets == image_token).sum() == len(samples)
    found, _ = forward.token_outputs(micro_batch, temperature=1.0)
    shorter = [
        dataclasses.replace(sample, token_ids=np.append(sample.token_ids[:-1], 21))
        for sample in samples
    ]
    ((without,),) = pack(shorter, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    other, _ = forward.token_outputs(without, temperature=1.0)
    same = torch.from_numpy(micro_batch.targets != image_token)
    torch.testing.assert_close(found[same], other[same], rtol=1e-10, atol=1e-10)
    assert torch.isfinite(found).all()
