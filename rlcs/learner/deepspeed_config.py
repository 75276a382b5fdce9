"""What DeepSpeed is told, all of it."""

from __future__ import annotations

from typing import Any

from rlcs.learner.optimiser import clips_itself
from rlcs.learner.rank_settings import RankSettings

BUCKET_NUMBERS = 200_000_000
"""Gradients are reduced, and weights gathered, this many numbers at a time: 0.4 GB in bfloat16."""


def deepspeed_config(settings: RankSettings, num_parameters: int) -> dict[str, Any]:
    """DeepSpeed's configuration of a rank whose model has ``num_parameters``.

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
    if stage >= 2:
        config["data_types"] = {"grad_accum_dtype": "fp32"}
    return config
