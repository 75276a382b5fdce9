"""How much memory a run will need and what for, estimated from the model's configuration alone.

Weights, gradients and AdamW's state are exact; of a model under adapters, or with a frozen vision
tower, the trained part alone has the latter two. What a rank needs while it learns from one
micro-batch and what the optimiser's step needs are never needed at the same time: the larger
counts. Bytes of a layer are those that bfloat16 keeps for the backward pass (Korthikanti et al.,
arXiv 2205.05198, count them for another kind of layer), and were compared with what torch keeps
of a layer of real size. The cache is that of as many tokens as an engine may hold at once.
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
from rlcs.model.lora import num_adapter_parameters
from rlcs.model.parts import CHUNK_BYTES, num_parameters, recomputes, vision_parts

GIB = 2**30
FLOAT32_BYTES = 4
OPTIMISER_BYTES = 8
"""AdamW's two moments, in float32."""
LIVE_BYTES = 4e9
"""Weights that ZeRO-3 has gathered at a time on a GPU, with what is fetched ahead; no more than
there are."""
BUCKET_BYTES = 8e8
"""DeepSpeed's buffers on a GPU (``rlcs.learner.deepspeed_config``)."""
CONTEXT_BYTES = 2.5e9
"""CUDA's context, NCCL, and what is lost between blocks, on a GPU."""
LOGIT_BYTES = 14
"""A word's logit at work: in 16 bits, in float32 as it is and scaled, and their gradient."""
PATCH_BYTES = 47_000
"""A patch at work in one layer of a vision tower of GLM-4.1V's size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryPlan:
    """The memory of one rank and of one engine, in bytes and by use."""

    num_parameters: int
    num_trained: int
    rank: dict[str, float]
    engine: dict[str, float]
    row_bytes: float
    """Keys and values of the longest row, on each GPU of an engine."""
    host_bytes: float = 0.0
    """What one rank has in the host's memory, while it learns or while an engine works."""
    moves_away: bool = False
    """Whether a rank leaves a GPU that it shares to the engine."""

    @property
    def rank_bytes(self) -> float:
        """The bytes that one rank needs."""
        return sum(self.rank.values())

    @property
    def kept_bytes(self) -> float:
        """The bytes that a rank keeps on a GPU while an engine works there.

        Under ZeRO what only updates need waits on the host meanwhile (``rlcs.learner.offload``).
        """
        kept = self.rank["weights"] + self.rank["context"]
        return kept if self.moves_away else kept + self.rank["gradients"] + self.rank["optimiser"]

    @property
    def engine_bytes(self) -> float:
        """The bytes that one engine needs."""
        return sum(self.engine.values())

    def lines(self) -> Iterator[str]:
        """The plan as lines of plain text."""
        trained = f", {self.num_trained:,} of them trained"
        yield f"{self.num_parameters:,} parameters" + (
            trained if self.num_trained < self.num_parameters else ""
        )
        for who, uses in (("rank", self.rank), ("engine", self.engine)):
            parts = ", ".join(f"{use} {readable(number)}" for use, number in uses.items())
            yield f"each {who}: {readable(sum(uses.values()))} ({parts})"
        if self.host_bytes:
            yield f"each rank, in its host's memory: {readable(self.host_bytes)}"


def plan_memory(config: RunConfig, *, on_gpu: bool) -> MemoryPlan:
    """Estimate the memory of the run of ``config``, whose ranks may each have a GPU.

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
    count = num_parameters(model)
    text = settings.get_text_config()
    size, gpus = _number_bytes(config), config.rollout.engine_width
    token_bytes = _numbers_per_token(text) * size / gpus
    cache_gib = config.rollout.vllm.cache_gib if config.rollout.engine == "vllm" else None
    num_trained = _num_trained(config, model)
    rank = _rank_bytes(config, model, num_trained, on_gpu=on_gpu)
    on_host = {use: rank[use] for use in _uses_on_host(config)}
    return MemoryPlan(
        num_parameters=count,
        num_trained=num_trained,
        host_bytes=sum(on_host.values()),
        moves_away=on_gpu and config.learner.zero_stage > 0,
        rank={**rank, **dict.fromkeys(on_host, 0.0)},
        engine={
            "weights": count * size / gpus,
            "cache": cache_gib * GIB if cache_gib else config.rollout.batch_tokens * token_bytes,
        },
        row_bytes=config.rollout.max_row_tokens * token_bytes,
    )


def _number_bytes(config: RunConfig) -> int:
    return torch.finfo(getattr(torch, config.model.dtype)).bits // 8


def _num_trained(config: RunConfig, model: Any) -> int:
    if config.learner.lora is not None:
        return num_adapter_parameters(model, config.learner.lora)
    frozen = vision_parts(model) if config.learner.train == "language" else []
    return num_parameters(model) - num_parameters(*frozen)


def _rank_bytes(config: RunConfig, model: Any, trained: int, *, on_gpu: bool) -> dict[str, float]:
    """The bytes of a rank by use: from stage 1 to 3, ZeRO shards first the optimiser's state over
    the ranks, then gradients, then weights."""
    ranks, stage, size = config.learner.num_ranks, config.learner.zero_stage, _number_bytes(config)
    count = num_parameters(model)

    def share(from_stage: int) -> float:
        return 1 / ranks if stage >= from_stage else 1.0

    master = FLOAT32_BYTES if config.model.dtype != "float32" else 0
    gradient = FLOAT32_BYTES if stage >= 2 else size
    live = min(LIVE_BYTES, count * size) if stage == 3 and ranks > 1 and on_gpu else 0.0
    buckets = ranks > 1 or config.learner.offload_optimizer
    learning = live + activation_bytes(config, model)
    # Float32 gradients of what the rank updates, beside those that were accumulated.
    none_here = stage == 3 or config.learner.offload_optimizer
    stepping = live if none_here else trained * FLOAT32_BYTES * share(1)
    return {
        "weights": count * size * share(3),
        "gradients": trained * gradient * share(2),
        "optimiser": trained * (OPTIMISER_BYTES + master) * share(1),
        "context": (CONTEXT_BYTES + BUCKET_BYTES * buckets) if on_gpu else 0.0,
        "at work": max(learning, stepping),
    }


def _uses_on_host(config: RunConfig) -> tuple[str, ...]:
    """What of a rank's memory is its host's; from stage 2 on gradients go there as they come."""
    if not config.learner.offload_optimizer:
        return ()
    return ("optimiser", "gradients") if config.learner.zero_stage >= 2 else ("optimiser",)


def activation_bytes(config: RunConfig, model: Any) -> float:
    """What a rank keeps of one micro-batch for the backward pass, and what is at work in it."""
    learner, text = config.learner, model.config.get_text_config()
    scale = _number_bytes(config) / 2
    # A row longer than a micro-batch runs alone.
    tokens = max(learner.micro_batch_tokens, config.rollout.max_row_tokens)
    layer = scale * layer_bytes(model)
    if recomputes(learner.recompute_activations, num_parameters(model)):
        layers = layer + 2 * scale * text.hidden_size * text.num_hidden_layers
    else:
        layers = layer * text.num_hidden_layers
    chunk = min(tokens, CHUNK_BYTES // (FLOAT32_BYTES * text.vocab_size))
    head = chunk * text.vocab_size * LOGIT_BYTES
    return tokens * layers + head + _vision_bytes(config, model) * scale


def layer_bytes(model: Any) -> float:
    """Bytes a token that one layer of the language model keeps in bfloat16.

    Norms compute in float32 and keep their input so; of a gated unit four vectors are kept.
    """
    text = model.config.get_text_config()
    hidden, inner = text.hidden_size, text.intermediate_size
    norms = [
        name
        for name, module in model.named_modules()
        if type(module).__name__.endswith("RMSNorm") and module.weight.shape == (hidden,)
    ]
    per_layer = (len(norms) - 1) // text.num_hidden_layers
    return float(hidden * (12 + 6 * per_layer) + 8 * inner)


def _vision_bytes(config: RunConfig, model: Any) -> float:
    """What the vision tower keeps of the largest picture that there may be in a prompt."""
    vision = getattr(model.config, "vision_config", None)
    if vision is None or not vision_parts(model) or config.learner.train != "all":
        return 0.0
    tokens, bounds = config.rollout.max_prompt_tokens, config.model.image_tokens
    if bounds is not None and bounds.max is not None:
        tokens = min(tokens, bounds.max)
    patches = tokens * getattr(vision, "spatial_merge_size", 1) ** 2
    depth = getattr(vision, "depth", None) or vision.num_hidden_layers
    return float(patches * (2 * vision.hidden_size * depth + PATCH_BYTES))


def _numbers_per_token(text: Any) -> int:
    """How many numbers the cache holds for a token."""
    heads = text.num_attention_heads
    key_value_heads = getattr(text, "num_key_value_heads", None) or heads
    head_size = getattr(text, "head_dim", None) or text.hidden_size // heads
    return int(2 * text.num_hidden_layers * key_value_heads * head_size)
