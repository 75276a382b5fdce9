"""A weight transfer of vLLM's own kind that takes buckets of arrays.

The arrays lie in Ray's object store, shared memory on the same node; vLLM's worker reads them
there and lays them into its layers (vLLM's layerwise reload packs a layer again as soon as all
of it has come). Works on CPUs and, by way of the host, on GPUs.

Beside it one of vLLM's own transfers can be opened, NCCL or CUDA IPC, whose messages are passed
on: a version comes by one way or the other, and an engine that was started anew, which no NCCL
group knows, still gets the buckets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from vllm.config import WeightTransferConfig
from vllm.distributed.weight_transfer import WeightTransferEngineFactory
from vllm.distributed.weight_transfer.base import (
    WeightTransferEngine,
    WeightTransferInitInfo,
    WeightTransferUpdateInfo,
)
from vllm.model_executor.model_loader.reload import (
    finalize_layerwise_reload,
    initialize_layerwise_reload,
)
from vllm.model_executor.model_loader.reload.layerwise import get_layerwise_info

from rlcs.model.weights import Weights, check_complete, to_tensor


@dataclass
class OwnTransfer(WeightTransferInitInfo):
    """Which of vLLM's own transfers is opened, and what it has to know."""

    backend: str
    info: dict[str, Any]


@dataclass
class Bucket(WeightTransferUpdateInfo):
    """Some parameters, by the names of the model folder."""

    weights: Weights = field(default_factory=dict)
    last: bool = False
    """Nothing comes after this one."""
    passed_on: dict[str, Any] | None = None
    """In place of ``weights``: a message of vLLM's own transfer."""


class BucketTransfer(WeightTransferEngine[OwnTransfer, Bucket]):
    """Registered with vLLM by :mod:`rlcs.rollout.engines.vllm.plugin`."""

    init_info_cls = OwnTransfer
    update_info_cls = Bucket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._expected = {name for name, _ in self.model.named_parameters()}
        """vLLM's names of all parameters; tied ones once."""
        self._missing: set[str] = set()
        self._own: Any = None
        """vLLM's own transfer, once one is opened."""

    def init_transfer_engine(self, init_info: OwnTransfer) -> None:
        """Open one of vLLM's own transfers, in place of the one that was open."""
        self.shutdown()
        self._own = WeightTransferEngineFactory.create_engine(
            WeightTransferConfig(backend=init_info.backend),
            self.vllm_config,
            self.device,
            self.model,
        )
        self._own.init_transfer_engine(self._own.parse_init_info(init_info.info))

    def start_weight_update(self) -> None:
        """Begin a version, after clearing away what a failed one left behind."""
        self._drop_unfinished()
        self._missing = set(self._expected)
        initialize_layerwise_reload(self.model)

    def receive_weights(self, update_info: Bucket) -> None:
        """Lay a bucket into the model.

        Raises:
            EngineError: it was the last, and a parameter did not come.
        """
        if update_info.passed_on is not None:
            self._missing = set()  # vLLM's own transfer has the learner's list of names
            self._own.receive_weights(self._own.parse_update_info(update_info.passed_on))
            return
        weights = ((name, to_tensor(array)) for name, array in update_info.weights.items())
        model: Any = self.model  # vLLM's models have load_weights, torch's type does not say so
        self._missing -= model.load_weights(weights)
        if update_info.last:
            check_complete(self._missing, len(self._expected))

    def finish_weight_update(self) -> None:
        """End a version, or give it up where something is missing: nothing may be served then."""
        if self._missing:
            self._drop_unfinished()
            return
        if self._own is not None:
            self._own.finish_weight_update()
        else:
            finalize_layerwise_reload(self.model, self.model_config)
        self._pack_tied_layers()

    def shutdown(self) -> None:
        """Close vLLM's own transfer."""
        if self._own is not None:
            self._own.shutdown()
            self._own = None

    def _drop_unfinished(self) -> None:
        """Give layers that wait for weights their old ones back."""
        for layer in self.model.modules():
            info = get_layerwise_info(layer)
            if info.can_load():
                info.loaded_weights.clear()
                info.load_numel = 0
        finalize_layerwise_reload(self.model, self.model_config)

    def _pack_tied_layers(self) -> None:
        """An output layer that shares the embedding's weight keeps a packed copy of it on a CPU.

        The reload writes the shared weight but packs only the layer under whose name it came.
        """
        seen: set[int] = set()
        for layer in self.model.modules():
            weight = layer._parameters.get("weight")
            method = getattr(layer, "quant_method", None)
            if weight is None or method is None:
                continue
            if id(weight) in seen:
                with torch.no_grad():
                    method.process_weights_after_loading(layer)
            seen.add(id(weight))
