"""A packed row gives what each prompt alone with each of its completions gives."""

from __future__ import annotations

import copy
import types
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Lfm2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

from rlcs.errors import ModelError
from rlcs.learner import policy as policy_module
from rlcs.learner.forward import PackedForward
from rlcs.learner.packing import MicroBatch, pack
from rlcs.learner.policy import Policy
from rlcs.types import Prompt, TrainingSample

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
MODELS = {
    "Qwen2": Qwen2Config(**SHAPE),
    "Qwen3": Qwen3Config(**SHAPE, head_dim=8),
    "tied embeddings": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "a window shorter than the prompts": MistralConfig(**SHAPE, sliding_window=4),
    "short convolutions in between": Lfm2Config(
        **SHAPE, layer_types=["conv", "full_attention", "conv"]
    ),
}
CPU = torch.device("cpu")


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

    def __init__(self, config: Any, *, recompute: bool = False) -> None:
        torch.manual_seed(0)
        self.plain = in_float64(AutoModelForCausalLM.from_config(copy.deepcopy(config)))
        torch.manual_seed(0)
        model = in_float64(AutoModelForCausalLM.from_config(copy.deepcopy(config)))
        self.module = Policy(model, recompute_activations=recompute).train()

    def __call__(self, *places: Any, **inputs: Any) -> Any:
        return self.module(*places, **inputs)


def groups(num_groups: int, seed: int = 0) -> list[TrainingSample]:
    """Three completions of different lengths, one of them a single token, for each prompt."""
    draw = np.random.default_rng(seed)
    samples = []
    for _ in range(num_groups):
        prompt = draw.integers(1, 50, draw.integers(5, 12))
        for num_drawn in (1, 6, int(draw.integers(2, 9))):
            mask = np.ones(num_drawn, dtype=bool)
            mask[2:4] = False  # inserted by force answering
            samples.append(
                TrainingSample(
                    token_ids=np.concatenate([prompt, draw.integers(1, 50, num_drawn)]),
                    num_prompt_tokens=len(prompt),
                    old_logprobs=np.zeros(num_drawn, dtype=np.float32),
                    loss_mask=mask,
                    advantage=1.0,
                )
            )
    return samples


def one_micro_batch(samples: list[TrainingSample]) -> MicroBatch:
    ((micro_batch,),) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=10**6)
    return micro_batch


def row_by_row(
    model: Any, samples: list[TrainingSample], micro_batch: MicroBatch, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities and entropies of each completion, alone with its prompt."""
    logprobs, entropies = [], []
    for index in micro_batch.sample_indices:
        sample = samples[index]
        token_ids = torch.from_numpy(sample.token_ids)[None]
        first = sample.num_prompt_tokens
        distribution = (model(token_ids).logits[0, first - 1 : -1] / temperature).log_softmax(-1)
        chosen = distribution.gather(-1, token_ids[0, first:, None])[:, 0]
        mask = torch.from_numpy(sample.loss_mask)
        logprobs.append(chosen[mask])
        entropies.append(-(distribution.exp() * distribution).sum(-1)[mask])
    return torch.cat(logprobs), torch.cat(entropies)


@pytest.mark.parametrize("recompute", [False, True], ids=["kept", "recomputed"])
@pytest.mark.parametrize("kind", MODELS)
def test_log_probabilities_and_gradient_are_those_of_whole_rows(kind: str, recompute: bool) -> None:
    engine = Engine(MODELS[kind], recompute=recompute)
    forward = PackedForward(engine, CPU, "no folder")
    assert forward.policy.packs == (kind != "short convolutions in between")
    samples = groups(4)
    micro_batch = one_micro_batch(samples)

    found, entropies = forward.token_outputs(micro_batch, temperature=0.7)
    found.square().sum().backward()
    expected, wanted_entropies = row_by_row(engine.plain, samples, micro_batch, 0.7)
    expected.square().sum().backward()

    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(entropies, wanted_entropies, rtol=1e-10, atol=1e-10)
    wanted = dict(engine.plain.named_parameters())
    for name, parameter in engine.module.model.named_parameters():
        torch.testing.assert_close(
            parameter.grad, wanted[name].grad, rtol=1e-10, atol=1e-10, msg=name
        )


def kept_shapes(forward: PackedForward, micro_batch: MicroBatch) -> list[torch.Size]:
    """Shapes of what a forward pass keeps for the backward pass, which is made, too."""
    shapes: list[torch.Size] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        shapes.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logprobs, _ = forward.token_outputs(micro_batch, temperature=1.0)
    logprobs.sum().backward()
    return shapes


def test_the_output_layer_takes_some_tokens_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    micro_batch = one_micro_batch(groups(4))
    gradients = []
    for chunk_bytes, at_once in ((10**9, True), (4 * 50 * 3, False)):
        monkeypatch.setattr(policy_module, "CHUNK_BYTES", chunk_bytes)
        engine = Engine(MODELS["Qwen2"])
        shapes = kept_shapes(PackedForward(engine, CPU, "no folder"), micro_batch)
        logits = [shape for shape in shapes if len(shape) == 2 and shape[-1] == 50]
        assert bool(logits) == at_once, "chunks keep no logits for the backward pass"
        gradients.append(engine.module.plain.get_output_embeddings().weight.grad)
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", MODELS)
def test_a_prompt_is_probed_as_the_model_reads_it(kind: str) -> None:
    engine = Engine(MODELS[kind])
    token_ids = np.arange(3, 20)
    forward = PackedForward(engine, CPU, "no folder")
    found = forward.prompt_logprobs(Prompt(problem_id="probe", token_ids=token_ids))
    row = torch.from_numpy(token_ids)[None]
    distribution = engine.plain(row).logits[0, :-1].log_softmax(-1)
    expected = distribution.gather(-1, row[0, 1:, None])[:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_tokens_are_counted_as_they_are_run() -> None:
    samples = groups(4)
    micro_batch = one_micro_batch(samples)
    prompts = sum(sample.num_prompt_tokens for sample in samples[::3])
    completions = sum(len(sample.loss_mask) for sample in samples)
    packed = PackedForward(Engine(MODELS["Qwen2"]), CPU, "no folder")
    assert packed.num_tokens(micro_batch) == prompts + completions, "no padding"
    whole = PackedForward(Engine(MODELS["short convolutions in between"]), CPU, "no folder")
    assert whole.num_tokens(micro_batch) == len(samples) * max(
        len(sample.token_ids) for sample in samples
    )


def test_attention_dropout_is_refused() -> None:
    engine = Engine(Qwen2Config(**SHAPE, attention_dropout=0.1))
    with pytest.raises(ModelError, match="set attention_dropout to 0"):
        PackedForward(engine, CPU, "").token_outputs(one_micro_batch(groups(1)), temperature=1.0)


def test_a_model_without_a_plain_output_layer_is_refused() -> None:
    model = AutoModelForCausalLM.from_config(MODELS["Qwen2"])
    model.set_output_embeddings(torch.nn.Sequential(torch.nn.Linear(32, 50)))
    with pytest.raises(ModelError, match="plain linear output layer, found Sequential"):
        Policy(model, recompute_activations=None)
