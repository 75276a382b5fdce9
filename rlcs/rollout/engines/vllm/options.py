"""With which options vLLM is started, on a CPU and on GPUs."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig
from vllm.config import WeightTransferConfig

from rlcs.config import LoraSection
from rlcs.model.loading import load_image_processor, load_part, load_video_processor
from rlcs.rollout.engines.vllm.plugin import TRANSFER_NAME
from rlcs.rollout.settings import EngineSettings

CPU_BLOCK_TOKENS = 32
"""Tokens in a block of a CPU's key-value cache. vLLM's own 128 is longer than short prompts, of
which it would then share nothing."""

CPU_STEP_TOKENS = 4096
"""Tokens that vLLM reads in one step on a CPU; more where a single row can be longer."""

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM makes room for."""


def vllm_options(settings: EngineSettings) -> dict[str, Any]:
    """Keyword arguments of ``vllm.LLM``, beside the model's path."""
    options: dict[str, Any] = {
        "dtype": settings.dtype,
        "max_model_len": settings.max_row_tokens,
        "max_num_seqs": settings.vllm.max_rows,
        "generation_config": "vllm",  # nothing of the model folder's own sampling
        "logprobs_mode": "processed_logprobs",  # after the temperature: those that are trained
        "trust_remote_code": settings.trust_code,
        **_picture_sizes(settings),
        # vLLM makes room for as many when it starts, by running the vision tower over them. It
        # leaves the tower out where there are none.
        "limit_mm_per_prompt": {**settings.most_shown, "audio": 0},
        **_placement(settings),
        **_changing_weights(settings.lora),
        **settings.vllm.extra,
    }
    if settings.device == "cpu":
        options["kv_cache_memory_bytes"] = _cache_bytes(settings)
    if settings.vllm.cache_gib is not None:
        options["kv_cache_memory_bytes"] = int(settings.vllm.cache_gib * 2**30)
    return options


def _picture_sizes(settings: EngineSettings) -> dict[str, Any]:
    """Options for how many tokens a picture becomes, where the run says so."""
    if settings.image_tokens is None:
        return {}
    processor = load_image_processor(
        settings.model_path, trust_code=settings.trust_code, image_tokens=settings.image_tokens
    )
    size = {name: getattr(processor.size, name) for name in ("shortest_edge", "longest_edge")}
    options: dict[str, Any] = {"images_kwargs": {"size": size}}
    if "max_pixels" not in processor.valid_kwargs.__annotations__:
        # For GLM's, vLLM looks here alone when it makes room for the largest picture and video.
        options["max_pixels"] = size["longest_edge"]
        if settings.most_shown["video"]:
            films = load_video_processor(settings.model_path, trust_code=settings.trust_code)
            options["max_pixels"] = max(size["longest_edge"], films.size["longest_edge"])
    return {"mm_processor_kwargs": options}


def _placement(settings: EngineSettings) -> dict[str, Any]:
    """Options for what the engine runs on."""
    options: dict[str, Any] = {}
    if settings.vllm.tensor_parallel_size > 1:
        # Ray gave all of an engine's GPUs to this actor: the workers are its children.
        options["tensor_parallel_size"] = settings.vllm.tensor_parallel_size
        options["distributed_executor_backend"] = "mp"
    if settings.device == "cpu":
        return options | {
            "enforce_eager": True,
            "block_size": CPU_BLOCK_TOKENS,
            # vLLM cannot read a part of a prompt whose request has a seed: it takes back the
            # random number by a counter that torch's CPU generators do not have.
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(settings.max_row_tokens, CPU_STEP_TOKENS),
        }
    return options | {
        "gpu_memory_utilization": settings.vllm.memory_share,
        "enable_sleep_mode": True,
    }


def _changing_weights(lora: LoraSection | None) -> dict[str, Any]:
    """Options for what is published: all weights, or adapters."""
    if lora is None:
        return {"weight_transfer_config": WeightTransferConfig(backend=TRANSFER_NAME)}
    wide_enough = next(rank for rank in VLLM_RANKS if rank >= lora.rank)
    return {"enable_lora": True, "max_loras": 1, "max_lora_rank": wide_enough}


def _cache_bytes(settings: EngineSettings) -> int:
    """Memory of each worker for keys and values of ``batch_tokens``, in whole blocks."""
    config = load_part(
        AutoConfig, settings.model_path, trust_code=settings.trust_code
    ).get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    heads = -(-heads // settings.vllm.tensor_parallel_size)
    number_bytes = getattr(torch, settings.dtype).itemsize
    token_bytes = 2 * config.num_hidden_layers * heads * size * number_bytes
    num_blocks = -(-settings.batch_tokens // CPU_BLOCK_TOKENS) + 1  # vLLM keeps one for itself
    return num_blocks * CPU_BLOCK_TOKENS * token_bytes
