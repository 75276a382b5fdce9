"""Reading a prompt once gives what reading it with every completion gives."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, Lfm2Config, MistralConfig, Qwen2Config

from rlcs.learner.forward import CompletionForward
from rlcs.learner.packing import MicroBatch, pack
from rlcs.types import TrainingSample

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
MODELS = {
    "full attention": Qwen2Config(**SHAPE),
    "a window shorter than the prompts": MistralConfig(**SHAPE, sliding_window=4),
    "short convolutions in between": Lfm2Config(
        **SHAPE, layer_types=["conv", "full_attention", "conv"]
    ),
}
CPU = torch.device("cpu")
SHARING = {"full attention", "a window shorter than the prompts"}


class Engine:
    """A model as the forward pass sees a DeepSpeed engine."""

    def __init__(self, config: Any) -> None:
        torch.manual_seed(0)
        self.module = AutoModelForCausalLM.from_config(config).double()

    def __call__(self, **inputs: Any) -> Any:
        return self.module(**inputs)


def groups(num_groups: int, seed: int = 0) -> list[TrainingSample]:
    """Three completions of different lengths, one of them a single token, for each prompt."""
    draw = np.random.default_rng(seed)
    samples = []
    for _ in range(num_groups):
        prompt = draw.integers(1, 50, draw.integers(5, 12))
        for num_drawn in (1, 6, int(draw.integers(2, 9))):
            samples.append(
                TrainingSample(
                    token_ids=np.concatenate([prompt, draw.integers(1, 50, num_drawn)]),
                    num_prompt_tokens=len(prompt),
                    old_logprobs=np.zeros(num_drawn, dtype=np.float32),
                    loss_mask=np.ones(num_drawn, dtype=bool),
                    advantage=1.0,
                )
            )
    return samples


def one_micro_batch(samples: list[TrainingSample]) -> MicroBatch:
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    return micro_batch


def row_by_row(model: Any, micro_batch: MicroBatch, temperature: float) -> list[torch.Tensor]:
    """Log-probabilities of each completion, alone with its prompt and without padding."""
    rows = []
    for row, prompt in enumerate(micro_batch.prompt_of_row):
        prompt_ids = micro_batch.prompt_ids[prompt][micro_batch.prompt_mask[prompt]]
        drawn = micro_batch.completion_ids[row][micro_batch.completion_mask[row]]
        token_ids = torch.from_numpy(np.concatenate([prompt_ids, drawn]))[None]
        logits = model(token_ids).logits[0, len(prompt_ids) - 1 : -1] / temperature
        targets = token_ids[0, len(prompt_ids) :, None]
        rows.append(logits.float().log_softmax(-1).gather(-1, targets)[:, 0])
    return rows


@pytest.mark.parametrize("kind", MODELS)
def test_log_probabilities_and_gradient_are_those_of_whole_rows(kind: str) -> None:
    engine = Engine(MODELS[kind])
    forward = CompletionForward(engine, CPU, "no folder")
    assert forward.can_share_prompts == (kind in SHARING)
    micro_batch = one_micro_batch(groups(4))
    assert micro_batch.shares_prompts

    found = forward.logprobs(micro_batch, temperature=0.7)
    mask = torch.from_numpy(micro_batch.completion_mask)
    (found * mask).square().sum().backward()
    parameters = list(engine.module.parameters())
    gradients = [parameter.grad.clone() for parameter in parameters]
    engine.module.zero_grad()
    expected = row_by_row(engine.module, micro_batch, 0.7)
    sum(row.square().sum() for row in expected).backward()

    for row, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(row[: len(wanted)], wanted, rtol=1e-5, atol=1e-5)
    for gradient, parameter in zip(gradients, parameters, strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-4, atol=1e-4)


def test_tokens_are_counted_as_they_are_run() -> None:
    micro_batch = one_micro_batch(groups(4))
    num_prompts, prompt_columns = micro_batch.prompt_ids.shape
    num_rows, columns = micro_batch.completion_ids.shape
    assert (num_prompts, num_rows) == (4, 12)
    shared = CompletionForward(Engine(MODELS["full attention"]), CPU, "no folder")
    assert shared.num_tokens(micro_batch) == 4 * prompt_columns + 12 * columns
    apart = dataclasses.replace(micro_batch, shares_prompts=False)
    assert shared.num_tokens(apart) == 12 * (prompt_columns + columns)
    whole = CompletionForward(Engine(MODELS["short convolutions in between"]), CPU, "no folder")
    assert whole.num_tokens(micro_batch) == 12 * (prompt_columns + columns)
