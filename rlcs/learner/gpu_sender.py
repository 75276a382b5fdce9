"""New weights from the learner's GPUs to vLLM's by vLLM's own transfers, NCCL or CUDA IPC.

vLLM's trainer side does the work: it packs parameters into buffers of bounded size and drives
the engines through four calls. Here are the two things it asks for: our parameters, gathered
bucket by bucket under ZeRO-3, and a client that passes its calls to the rollout actors.

On GPUs it has not been run yet. The tests run it on CPUs, with another carrier instead of
NCCL's broadcast (tests/rlcs/rollout/test_wide_engines.py); nothing runs CUDA IPC.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ray
import torch
from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource
from vllm.distributed.weight_transfer.factory import WeightTransferTrainerFactory
from vllm.distributed.weight_transfer.ipc_engine import IPCTrainerInitInfo
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo

from rlcs.errors import EngineError
from rlcs.learner.rank_settings import RankInfo, Receivers

BACKENDS = {"nccl": "nccl", "cuda_ipc": "ipc"}
"""Our name of each transfer → vLLM's."""


class GatheredParameters(WeightSource):
    """Parameters, gathered a bucket at a time where ZeRO-3 has them in parts."""

    def __init__(
        self, parameters: Mapping[str, torch.Tensor], buckets: Sequence[Sequence[str]], gather: Any
    ) -> None:
        self.parameters = parameters
        self.buckets = buckets
        self.gather = gather
        """Makes a list of parameters whole within a context."""

    def metadata(self) -> list[ParamMeta]:
        """The names, types and shapes of the parameters, in the order of iteration."""
        return [
            ParamMeta(name, parameter.dtype, tuple(getattr(parameter, "ds_shape", parameter.shape)))
            for name, parameter in self.parameters.items()
        ]

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        for names in self.buckets:
            with self.gather([self.parameters[name] for name in names]):
                for name in names:
                    yield name, self.parameters[name].detach()


class EngineClient:
    """vLLM's client protocol over rollout actors: each call goes to all and waits for all."""

    def __init__(self, receivers: Receivers, backend: str) -> None:
        self.receivers = receivers
        self.backend = backend
        self.version = 0

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        """Have every actor join the group, its workers' ranks counted on from the actor before."""
        calls = []
        for number, actor in enumerate(self.receivers.actors):
            info = dict(init_info)
            if "rank_offset" in info:
                info["rank_offset"] += number * self.receivers.gpus_each
            request = {"init_info": {"backend": self.backend, "info": info}}
            calls.append(actor.transfer.remote("init_weight_transfer_engine", request))
        self._wait(calls)

    def start_weight_update(self) -> None:
        self._all("start_weight_update")

    def update_weights(self, update_info: dict[str, Any]) -> None:
        self._all("update_weights", {"update_info": {"passed_on": update_info}})

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        self._all("finish_weight_update", str(self.version))

    def _all(self, method: str, *arguments: Any) -> None:
        self._wait([actor.transfer.remote(method, *arguments) for actor in self.receivers.actors])

    def _wait(self, calls: list[Any]) -> None:
        """Wait for ``calls`` without a deadline: the caller of the ranks has one.

        Raises:
            EngineError: an engine died, or refused.
        """
        try:
            ray.get(calls)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            lines = str(cause).strip().splitlines() or [repr(cause)]
            raise EngineError(f"an engine did not take the weights: {lines[0]}") from error


class GpuSender:
    """The trainer side of one of vLLM's transfers; every rank has one, rank 0 sends."""

    def __init__(
        self,
        transfer: str,
        receivers: Receivers,
        source: WeightSource,
        *,
        rank_info: RankInfo,
        bucket_bytes: int,
    ) -> None:
        """Form a group with the engines of ``receivers``; every rank must do so."""
        self.identity = receivers.identity
        self.client = EngineClient(receivers, BACKENDS[transfer])
        # vLLM's IPC refuses a parameter that is larger than its buffer.
        largest = max(_num_bytes(meta) for meta in source.metadata())
        packing: dict[str, Any] = {
            "packed": True,
            "packed_buffer_size_bytes": max(bucket_bytes, largest),
        }
        if transfer == "nccl":
            info: Any = NCCLTrainerInitInfo(
                rank=rank_info.rank,
                master_address=receivers.address,
                master_port=receivers.port,
                world_size=1 + len(receivers.actors) * receivers.gpus_each,
                **packing,
            )
        else:
            info = IPCTrainerInitInfo(rank=rank_info.rank, **packing)
        self._engine = WeightTransferTrainerFactory.trainer_init(
            info, client=self.client, source=source
        )

    def send(self, version: int) -> None:
        """Bring all weights to all engines as ``version``; every rank must call it."""
        self.client.version = version
        self._engine.send_weights()

    def close(self) -> None:
        """Leave the group with the engines."""
        self._engine.shutdown()


def _num_bytes(meta: ParamMeta) -> int:
    return math.prod(meta.shape) * meta.dtype.itemsize
