"""Tells vLLM of our weight transfer, in each of its processes.

The entry point ``vllm.general_plugins`` of this package names :func:`register`.
"""

from __future__ import annotations

TRANSFER_NAME = "rlcs"


def register() -> None:
    """Called by vLLM when one of its processes starts; imports nothing heavy by itself."""
    from vllm.distributed.weight_transfer import WeightTransferEngineFactory

    if TRANSFER_NAME not in WeightTransferEngineFactory._registry:
        WeightTransferEngineFactory.register_engine(
            TRANSFER_NAME, "rlcs.rollout.engines.vllm.transfer", "BucketTransfer"
        )
