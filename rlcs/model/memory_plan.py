"""How much memory a run will need and what for, estimated from the model's configuration alone.

Weights, gradients and AdamW's state are exact. Activations and the cache are estimates: what
transformers keeps for the backward pass of one micro-batch without recomputation, and the keys
and values of as many tokens as an engine may hold at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoConfig

from rlcs.config import RunConfig
from rlcs.errors import ModelError, first_line
from rlcs.files import readable
from rlcs.model.loading import load_part, model_class

GIB = 2**30
FLOAT32_BYTES = 4
ACTIVATIONS_PER_LAYER = 34
"""Bytes a token and hidden unit in 16 bits, without attention scores (Korthikanti et al., arXiv
2205.05198, section 4.1)."""
LOGIT_COPIES = 3
"""Copies of a micro-batch's logits in float32: as they are, scaled, and their gradient."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryPlan:
    """The memory of one rank and of one engine, in bytes and by use."""

    num_parameters: int
    rank: dict[str, float]
    engine: dict[str, float]
    row_bytes: float
    """Keys and values of the longest row, on each GPU of an engine."""

    @property
    def rank_bytes(self) -> float:
        """The bytes that one rank needs."""
        return sum(self.rank.values())

    @property
    def kept_bytes(self) -> float:
        """The bytes that a rank keeps even while it does nothing."""
        return self.rank_bytes - self.rank["activations"]

    @property
    def engine_bytes(self) -> float:
        """The bytes that one engine needs."""
        return sum(self.engine.values())

    def lines(self) -> Iterator[str]:
        """The plan as lines of plain text."""
        yield f"{self.num_parameters:,} parameters"
        for who, uses in (("rank", self.rank), ("engine", self.engine)):
            parts = ", ".join(f"{use} {readable(number)}" for use, number in uses.items())
            yield f"each {who}: {readable(sum(uses.values()))} ({parts})"


def plan_memory(config: RunConfig) -> MemoryPlan:
    """Estimate the memory of the run of ``config``.

    Raises:
        ModelError: the model's configuration cannot be read.
    """
    try:
        settings = load_part(AutoConfig, config.model.path, trust_code=config.model.trust_code)
        with torch.device("meta"):
            model = model_class(settings).from_config(
                settings, trust_remote_code=config.model.trust_code
            )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model.path = {config.model.path} cannot be read: {first_line(error)}"
        ) from error
    count = sum(parameter.numel() for parameter in model.parameters())
    text = settings.get_text_config()
    size, gpus = _number_bytes(config), config.rollout.engine_width
    token_bytes = _numbers_per_token(text) * size / gpus
    cache_gib = config.rollout.vllm.cache_gib if config.rollout.engine == "vllm" else None
    return MemoryPlan(
        num_parameters=count,
        rank=_rank_bytes(config, count, text),
        engine={
            "weights": count * size / gpus,
            "cache": cache_gib * GIB if cache_gib else config.rollout.batch_tokens * token_bytes,
        },
        row_bytes=config.rollout.max_row_tokens * token_bytes,
    )


def _number_bytes(config: RunConfig) -> int:
    return torch.finfo(getattr(torch, config.model.dtype)).bits // 8


def _rank_bytes(config: RunConfig, count: int, text: Any) -> dict[str, float]:
    """The bytes of a rank by use: from stage 1 to 3, ZeRO shards first the optimiser's state over
    the ranks, then gradients, then weights."""
    ranks, stage, size = config.learner.num_ranks, config.learner.zero_stage, _number_bytes(config)

    def share(from_stage: int) -> float:
        return 1 / ranks if stage >= from_stage else 1.0

    master = FLOAT32_BYTES if config.model.dtype != "float32" else 0
    tokens = config.learner.micro_batch_tokens
    per_token = text.num_hidden_layers * text.hidden_size * ACTIVATIONS_PER_LAYER * size / 2
    return {
        "weights": count * size * share(3),
        "gradients": count * size * share(2),
        "optimiser": count * (2 * FLOAT32_BYTES + master) * share(1),
        "activations": tokens * (per_token + LOGIT_COPIES * text.vocab_size * FLOAT32_BYTES),
    }


def _numbers_per_token(text: Any) -> int:
    """How many numbers the cache holds for a token."""
    heads = text.num_attention_heads
    key_value_heads = getattr(text, "num_key_value_heads", None) or heads
    head_size = getattr(text, "head_dim", None) or text.hidden_size // heads
    return int(2 * text.num_hidden_layers * key_value_heads * head_size)
