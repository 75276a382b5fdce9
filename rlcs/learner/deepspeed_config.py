"""What DeepSpeed is told, all of it."""

from __future__ import annotations

from typing import Any

from rlcs.learner.optimiser import clips_itself
from rlcs.learner.rank_settings import RankSettings

BUCKET_NUMBERS = 200_000_000
"""Gradients are reduced, and weights gathered, this many numbers at a time: 0.4 GB in bfloat16."""


def deepspeed_config(
    settings: RankSettings, num_parameters: int, ranks_per_node: int = 0
) -> dict[str, Any]:
    """DeepSpeed's configuration of a rank whose model has ``num_parameters``.

    Where ``ranks_per_node`` is not 0 the ranks lie on several nodes with so many on each. ZeRO-3
    then keeps a second copy of the weights on every node, so that the backward pass gathers them
    within it (ZeRO++, arXiv 2306.10209).
    Gradients of many micro-batches are summed in float32: in bfloat16 the sum of 128 is off by a
    hundredth. Stage 1 is left as it is, where DeepSpeed would keep them whole on every rank.
    """
    stage = settings.ranks.zero_stage
    bucket = min(BUCKET_NUMBERS, max(1, num_parameters))
    config: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": 1,  # DeepSpeed requires it; micro-batches are ours
        "managed_gradient_accumulation": False,
        "gradient_clipping": 0.0 if clips_itself(settings) else settings.optimiser.max_grad_norm,
        "bf16": {"enabled": settings.dtype == "bfloat16"},
        "zero_optimization": {
            "stage": stage,
            "reduce_bucket_size": bucket,
            "allgather_bucket_size": bucket,
        },
        "zero_allow_untested_optimizer": True,
        "steps_per_print": 10**9,
    }
    if stage == 3 and ranks_per_node:
        config["zero_optimization"]["zero_hpz_partition_size"] = ranks_per_node
    if settings.ranks.offload_optimizer:
        on_gpu = settings.device == "cuda"
        config["zero_optimization"]["offload_optimizer"] = {"device": "cpu", "pin_memory": on_gpu}
        # DeepSpeed's own AdamW for CPUs would be compiled at its first use; torch's is fused, too.
        config["zero_force_ds_cpu_optimizer"] = False
    if stage >= 2:
        config["data_types"] = {"grad_accum_dtype": "fp32"}
    return config
