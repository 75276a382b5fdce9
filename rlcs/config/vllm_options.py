"""vLLM's own engine options in ``rollout.vllm.extra``: which may be given, and which need trust.

An option may name a class to import, a plug-in, a file that is unpickled or a model to fetch, and
vLLM has some two hundred of them, with more in every version. So the list is of those that do
nothing of the kind: numbers, switches and names out of a fixed list. Every other one counts as code
that the configuration names (``rlcs.cli.trust``).

Whether vLLM has an option at all, only vLLM can say (``rlcs.rollout.engines.vllm.extra``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NEEDED = "RLCS needs it as it is"

SET_BY_RLCS = {
    "model": "model.path",
    "tokenizer": "model.path",
    "dtype": "model.dtype",
    "trust_remote_code": "model.trust_code, or --trust-code",
    "max_model_len": "rollout.max_prompt_tokens, max_thinking_tokens and max_answer_tokens",
    "max_num_seqs": "rollout.vllm.max_rows",
    "tensor_parallel_size": "rollout.vllm.tensor_parallel_size",
    "distributed_executor_backend": "rollout.vllm.tensor_parallel_size",
    "gpu_memory_utilization": "rollout.vllm.memory_share",
    "kv_cache_memory_bytes": "rollout.vllm.cache_gib",
    "weight_transfer_config": "rollout.vllm.transfer",
    "enable_lora": "learner.lora",
    "max_loras": "learner.lora",
    "max_lora_rank": "learner.lora",
    "limit_mm_per_prompt": "the data: the most pictures that a problem has",
    "mm_processor_kwargs": "model.image_tokens",
    "seed": "run.seed: every completion has a seed of its own",
    "generation_config": NEEDED,
    "override_generation_config": NEEDED,
    "logprobs_mode": NEEDED,
    "enable_sleep_mode": NEEDED,
    "pipeline_parallel_size": "rollout.num_actors and rollout.vllm.tensor_parallel_size",
    "data_parallel_size": "rollout.num_actors",
    "device_ids": "the placement of the run",
}
"""Option → what sets it."""

SET_ON_CPU = ("enforce_eager", "block_size", "enable_chunked_prefill", "max_num_batched_tokens")
"""Options that RLCS sets where there are no GPUs."""

PLAIN = frozenset(
    [
        *SET_ON_CPU,
        "async_scheduling",
        "attention_backend",
        "cpu_offload_gb",
        "cudagraph_capture_sizes",
        "disable_cascade_attn",
        "disable_chunked_mm_input",
        "disable_custom_all_reduce",
        "disable_hybrid_kv_cache_manager",
        "enable_expert_parallel",
        "enable_flashinfer_autotune",
        "enable_prefix_caching",
        "fully_sharded_loras",
        "kv_cache_dtype",
        "linear_backend",
        "long_prefill_token_threshold",
        "max_cudagraph_capture_size",
        "max_num_scheduled_tokens",
        "mm_encoder_attn_backend",
        "mm_encoder_tp_mode",
        "mm_processor_cache_gb",
        "mm_processor_cache_type",
        "moe_backend",
        "num_gpu_blocks_override",
        "optimization_level",
        "performance_mode",
        "scheduler_reserve_full_isl",
        "skip_mm_profiling",
        "use_fp64_gumbel",
    ]
)
"""Options of plain values that load nothing."""

PLAIN_PARTS = {
    "compilation_config": frozenset(
        [
            "compile_sizes",
            "cudagraph_capture_sizes",
            "cudagraph_mode",
            "cudagraph_num_of_warmups",
            "max_cudagraph_capture_size",
            "mode",
            "use_inductor_graph_partition",
        ]
    )
}
"""Option that is a mapping → those of its keys that load nothing."""


def set_elsewhere(extra: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each option that RLCS sets itself."""
    for name in extra:
        if name in SET_BY_RLCS:
            yield f"{name} is set by RLCS: {SET_BY_RLCS[name]}. Take it out of extra."


def set_on_cpu(extra: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each option that is not to be chosen where there are no GPUs."""
    for name in extra:
        if name in SET_ON_CPU:
            yield (
                f"rollout.vllm.extra.{name} is for GPUs: on a CPU it is set by RLCS. Take it out."
            )


def needing_trust(extra: Mapping[str, Any]) -> list[str]:
    """The options that are not known to load nothing, with their keys where they are mappings."""
    found = []
    for name, value in extra.items():
        if name in PLAIN_PARTS and isinstance(value, dict):
            parts = PLAIN_PARTS[name]
            found += [f"{name}.{key}" for key in value if key not in parts or _nested(value[key])]
        elif name not in PLAIN or _nested(value):
            found.append(name)
    return found


def _nested(value: Any) -> bool:
    """Whether a value is more than a number, a switch, a name or a list of these."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(part, dict | list) for part in value)
    )
