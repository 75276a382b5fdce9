"""The model as the learner trains it: asked for log-probabilities of tokens, never for logits.

A model of 150,000 words makes 0.6 MB of logits a token in float32, and its backward pass several
times that. Here the output layer takes some tokens at a time and computes them again in the
backward pass, so that the peak does not grow with the row; tokens without a loss never reach it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from rlcs.errors import ModelError
from rlcs.learner.attention import NAME
from rlcs.learner.packing import WorkModel
from rlcs.model.parts import CHUNK_BYTES, num_parameters, recomputes, vision_parts

KEY_VALUE_LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)
"""Cache layers that hold keys and values and nothing else."""


class LogprobHead(torch.nn.Linear):
    """The output layer of a model, asked for log-probabilities of tokens instead of logits.

    A model's own output layer becomes one by its class alone: its weights stay what they are, so
    that DeepSpeed and tied embeddings see nothing new.
    """

    def forward(  # type: ignore[override]
        self,
        hidden: torch.Tensor,
        targets: torch.Tensor,
        temperature: float,
        *,
        learn_entropy: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities [K] of ``targets`` [K] after ``hidden`` [K, size], at ``temperature``;
        and the entropies [K] of the distributions, in nats, with a gradient where asked for."""

        def some(hidden: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits = F.linear(hidden, self.weight, self.bias)
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32)) / temperature
            normaliser = logits.logsumexp(-1)
            with torch.set_grad_enabled(learn_entropy and torch.is_grad_enabled()):
                entropy = normaliser - (logits.softmax(-1) * logits).sum(-1)
            return logits.gather(-1, targets[:, None])[:, 0] - normaliser, entropy

        chunk = max(1, CHUNK_BYTES // (4 * self.out_features))
        if len(targets) <= chunk:
            return some(hidden, targets)
        parts = [
            checkpoint(some, *part, use_reentrant=False)
            for part in zip(hidden.split(chunk), targets.split(chunk), strict=True)
        ]
        logprobs, entropies = zip(*parts, strict=True)
        return torch.cat(logprobs), torch.cat(entropies)


class Policy(torch.nn.Module):
    """A model that is called once a micro-batch and returns log-probabilities and entropies."""

    def __init__(self, model: torch.nn.Module, *, recompute_activations: bool | None) -> None:
        """``model`` may have adapters. Without ``recompute_activations`` its size decides.

        Raises:
            ModelError: the model lacks a piece that is needed.
        """
        super().__init__()
        wrapped: Any = model
        self.model = wrapped
        plain: Any = wrapped.get_base_model() if hasattr(wrapped, "get_base_model") else wrapped
        head = plain.get_output_embeddings()
        if type(head) is not torch.nn.Linear or plain.base_model is plain:
            raise ModelError(
                f"{type(plain).__name__} cannot be trained: expected a language model of "
                "transformers with a plain linear output layer, found "
                f"{type(head).__name__}. An output layer cannot have adapters."
            )
        layers = DynamicCache(config=plain.config).layers
        self.packs = all(type(layer) in KEY_VALUE_LAYERS for layer in layers)
        """Whether all its layers can read packed rows. State-space layers cannot."""
        if self.packs:
            nested = hasattr(plain.config, "text_config")
            plain.set_attn_implementation({"text_config": NAME} if nested else NAME)
        if recomputes(recompute_activations, num_parameters(model)):
            plain.gradient_checkpointing_enable({"use_reentrant": False})
        head.__class__ = LogprobHead
        self._plain = (plain,)  # in a tuple, or it would be a module of its own

    @property
    def plain(self) -> Any:
        """The model without adapters around it."""
        return self._plain[0]

    def forward(
        self,
        read_at: torch.Tensor,
        targets: torch.Tensor,
        temperature: float,
        *,
        learn_entropy: bool = False,
        **inputs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities and entropies [K] of ``targets`` [K] at ``temperature``.

        ``inputs`` are the model's own, of rows [N, L]; ``read_at`` [K] are places in the flat
        [N * L], whose outputs predict the targets.
        """
        hidden = self.plain.base_model(**inputs, use_cache=False).last_hidden_state
        outputs: tuple[torch.Tensor, torch.Tensor] = self.plain.get_output_embeddings()(
            hidden.flatten(0, 1)[read_at], targets, temperature, learn_entropy=learn_entropy
        )
        return outputs


def work_model(model: Any) -> WorkModel:
    """What tokens, pairs and pictures cost in ``model``, from its shape.

    A token costs 2 operations a parameter of the layers, a pair of tokens 4 a head and element of
    a head and layer.
    """
    text = model.config.get_text_config()
    heads = text.num_attention_heads
    head_size = getattr(text, "head_dim", None) or text.hidden_size // heads
    vision = vision_parts(model)
    of_vision = num_parameters(*vision)
    embedding = model.get_input_embeddings().weight
    of_layers = (
        num_parameters(model) - of_vision - int(getattr(embedding, "ds_numel", embedding.numel()))
    )
    merge = getattr(getattr(model.config, "vision_config", None), "spatial_merge_size", 1)
    return WorkModel(
        pairs_per_token=of_layers / (2 * text.num_hidden_layers * heads * head_size),
        image_token=of_vision * merge**2 / of_layers,
    )
