"""Leaving a GPU to an engine that shares it: what only updates need waits on the host meanwhile.

That is the float32 weights, AdamW's moments and the sums of gradients: 16 bytes a trained parameter
over the ranks, where the weights themselves are 2. Without ZeRO nothing is moved: what is trained
so is small, or has the GPU to itself.
"""

from __future__ import annotations

from typing import Any

ZERO_STAGES = (1, 2, 3)
"""Stages of which DeepSpeed can move what it keeps."""


class Offload:
    """Moves what a DeepSpeed engine keeps for its updates alone to the host, and back."""

    def __init__(self, engine: Any, zero_stage: int, *, pinned: bool) -> None:
        """``pinned``: in memory that a GPU reads without a copy in between."""
        self._engine = engine
        self._stage = zero_stage
        self._pinned = pinned
        self.on_host = False
        """Whether it waits on the host."""

    def to_host(self) -> None:
        """Move it to the host; does nothing if it is there."""
        if self.on_host or self._stage not in ZERO_STAGES:
            return
        from deepspeed.runtime.zero.offload_config import OffloadStateTypeEnum as Kind
        from deepspeed.runtime.zero.offload_states import offload_optimizer_states

        if self._stage < 3:
            kinds = [Kind.hp_params, Kind.optim_states, Kind.lp_grads]
            self._engine.offload_states(include=kinds, pin_memory=self._pinned)
        else:
            # Of stage 3 DeepSpeed moves the optimiser's state for its own optimisers alone.
            kinds = [Kind.lp_grads, Kind.contiguous_grad_buffer]
            self._engine.offload_states(include=kinds, pin_memory=self._pinned)
            outer = self._engine.optimizer
            for flat in outer.fp32_partitioned_groups_flat:
                flat.data = flat.data.to("cpu")
            offload_optimizer_states(outer.optimizer, "cpu", pin_memory=self._pinned)
        self.on_host = True

    def bring_back(self) -> None:
        """Move it to where updates are made; does nothing if it is there."""
        if not self.on_host:
            return
        from deepspeed.accelerator import get_accelerator
        from deepspeed.runtime.zero.offload_states import reload_optimizer_states

        self._engine.reload_states()
        if self._stage == 3:
            device = get_accelerator().current_device_name()
            outer = self._engine.optimizer
            for flat in outer.fp32_partitioned_groups_flat:
                flat.data = flat.data.to(device)
            reload_optimizer_states(outer.optimizer, device)
        self.on_host = False
