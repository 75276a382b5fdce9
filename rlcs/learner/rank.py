"""One DeepSpeed rank: a model, its optimiser, and the update. Runs without Ray around it.

ZeRO stages 0 to 3 and any number of ranks take the same path. DeepSpeed is told that we
decide where an update ends (``managed_gradient_accumulation`` off): a step may be made of
any number of micro-batches. The loss of a micro-batch already carries its exact weight in
the whole batch; DeepSpeed averages gradients over ranks, so it is multiplied by their number.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rlcs.errors import LearningError
from rlcs.files import writing
from rlcs.learner.deepspeed_config import deepspeed_config
from rlcs.learner.export import write_model
from rlcs.learner.forward import PackedForward, load_reference
from rlcs.learner.losses import (
    ImitationObjective,
    Objective,
    PolicyObjective,
    TokenLosses,
    imitation_loss,
    policy_loss,
)
from rlcs.learner.offload import Offload
from rlcs.learner.optimiser import make_optimiser
from rlcs.learner.packing import MicroBatch, WorkModel
from rlcs.learner.policy import Policy, work_model
from rlcs.learner.rank_settings import RankInfo, RankSettings, Receivers
from rlcs.learner.rank_state import RankState
from rlcs.learner.update import Update
from rlcs.model.loading import load_model
from rlcs.model.lora import adapter_parameters, add_adapters
from rlcs.model.parts import freeze_vision, num_parameters
from rlcs.model.weights import Probe, Weights, plan_buckets, to_array
from rlcs.types import Prompt, StepReport

if TYPE_CHECKING:
    from rlcs.learner.gpu_sender import GpuSender


NEVER = timedelta(days=1)
"""How long ranks wait for one another: the caller has a deadline, ``faults.learn_seconds``."""


class LearnerRank:
    """One rank of the learner: its model, its optimiser, and its part of every update."""

    def __init__(self, settings: RankSettings, rank_info: RankInfo) -> None:
        """Join the other ranks and load the model; returns when all ranks are there."""
        self.settings = settings
        self.rank_info = rank_info
        self.device = torch.device(settings.device)
        _join(settings, rank_info)
        torch.set_num_threads(settings.num_threads)
        random.seed(settings.seed)
        np.random.seed(settings.seed % 2**32)
        torch.manual_seed(settings.seed)
        self.engine = _start_engine(settings, rank_info)
        self.model = self.engine.module.model
        self._offload = Offload(
            self.engine, settings.ranks.zero_stage, pinned=self.device.type == "cuda"
        )
        self._state = RankState(self.engine, rank_info, settings.ranks.zero_stage)
        self.forward = PackedForward(
            self.engine,
            self.device,
            settings.model_path,
            trust_code=settings.trust_code,
            image_tokens=settings.image_tokens,
        )
        self._published = (
            adapter_parameters(self.model) if settings.lora else dict(self.model.named_parameters())
        )
        self._reference = self.forward
        if settings.with_reference and not settings.lora:
            self._reference = load_reference(settings, self.device)
        self._buckets = self._plan(self._published)
        self._sender: GpuSender | None = None
        self._update: Update | None = None
        self._probed: np.ndarray | None = None
        """The log-probabilities of the last probe."""

    def learn(
        self, micro_batches: Sequence[MicroBatch], objective: Objective, learning_rate: float
    ) -> StepReport:
        """Make one optimiser step on this rank's share of the batch.

        Where the gradient is not finite no weight is changed, and the report says so.
        """
        self.begin(objective, learning_rate)
        self.add(micro_batches)
        return self.finish()

    def begin(self, objective: Objective, learning_rate: float) -> None:
        """Begin an update; :meth:`add` then takes its micro-batches, :meth:`finish` makes it."""
        self._offload.bring_back()
        for group in self.engine.optimizer.param_groups:
            group["lr"] = learning_rate
        self.engine.train()
        self.engine.zero_grad()
        self._update = Update(objective, learning_rate, self.device)

    def add(self, micro_batches: Sequence[MicroBatch]) -> None:
        """Add the gradients of some micro-batches to the update."""
        update, self._update = self._update, None  # what fails half-way cannot be finished
        assert update is not None
        for micro_batch in micro_batches:
            update.totals += self._backward(micro_batch, update.objective)
        self._update = update

    def finish(self) -> StepReport:
        """Apply the update that was begun."""
        update, self._update = self._update, None
        assert update is not None
        totals = self._sum_over_ranks(update.totals)
        # A gradient that is not finite changes nothing: every optimiser here skips it.
        self.engine.step()
        return update.report(totals, float(self.engine.get_global_grad_norm()))

    @property
    def work_model(self) -> WorkModel:
        """What micro-batches cost in this model."""
        return work_model(self.forward.policy.plain)

    @property
    def num_buckets(self) -> int:
        """How many buckets the trained parameters are published in."""
        return len(self._buckets)

    @torch.no_grad()
    def logprobs(
        self, micro_batches: Sequence[MicroBatch], objective: PolicyObjective
    ) -> list[np.ndarray]:
        """Log-probabilities [K] of each micro-batch's tokens with a loss; no weight is changed."""
        self.engine.eval()
        return [
            self.forward.token_outputs(micro_batch, temperature=objective.temperature)[0]
            .cpu()
            .numpy()
            for micro_batch in micro_batches
        ]

    def bucket(self, index: int) -> Weights:
        """Bucket ``index`` of the trained parameters; empty on ranks other than 0.

        Under ZeRO-3 every rank must call it, because the bucket is gathered from all. Below, the
        arrays share the parameters' memory where they can: use them before the next update.
        """
        return self._gather({name: self._published[name] for name in self._buckets[index]})

    def send(self, version: int, transfer: str, receivers: Receivers) -> None:
        """Bring the trained parameters to vLLM from GPU to GPU; every rank must call it."""
        from rlcs.learner.gpu_sender import GatheredParameters, GpuSender

        if self._sender is None or self._sender.identity != receivers.identity:
            if self._sender is not None:
                self._sender.close()
            stage = self.settings.ranks.zero_stage
            self._sender = GpuSender(
                transfer,
                receivers,
                GatheredParameters(
                    self._published, self._buckets, lambda part: _gathered(part, stage)
                ),
                rank_info=self.rank_info,
                bucket_bytes=self.settings.bucket_bytes,
            )
        try:
            self._sender.send(version)
        except BaseException:  # how far each side of the transfer got is not known any more
            broken, self._sender = self._sender, None
            with contextlib.suppress(Exception):
                broken.close()
            raise

    def weights(self) -> Weights:
        """All parameters; complete on rank 0, empty on the others; every rank must call it."""
        parameters = dict(self.model.named_parameters())
        gathered: Weights = {}
        for names in self._plan(parameters):
            for name, array in self._gather({name: parameters[name] for name in names}).items():
                gathered[name] = array.copy()
        return gathered

    @torch.no_grad()
    def probe(self, prompt: Prompt) -> Probe:
        """This policy's log-probabilities of ``prompt``; under ZeRO-3 every rank must call it."""
        self.engine.eval()
        previous = self._probed
        self._probed = self.forward.prompt_logprobs(prompt).cpu().numpy()
        return Probe(
            prompt=prompt,
            logprobs=self._probed,
            dtype=self.settings.dtype,
            previous=previous if previous is None or len(previous) == len(self._probed) else None,
        )

    def free_gpu(self) -> None:
        """Leave the GPU to an engine until the next update; does nothing on a CPU."""
        if self.device.type == "cuda":
            self._offload.to_host()
            torch.cuda.empty_cache()

    def save(self, folder: str) -> None:
        """Write optimiser and trained weights for an exact resume into ``folder``; every rank calls
        it. What is not trained is loaded from where it came from.

        Raises:
            StorageError: the disk is full, read-only or gone.
        """
        with writing("the learner's state", Path(folder)):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._state.save(Path(folder))

    def load(self, folder: str) -> None:
        """Load the state that ranks of any number and ZeRO stage saved in ``folder``; every rank
        calls it.

        Raises:
            LearningError: there is none, it is damaged, or that of another model.
        """
        self._offload.bring_back()
        self._state.load(Path(folder))

    def export(self, folder: str) -> None:
        """Write a Hugging Face model folder (rank 0 writes, every rank must call it).

        Raises:
            StorageError: the disk is full, read-only or gone.
        """
        weights = self.weights()
        if self.rank_info.rank == 0:
            write_model(self.model, weights, self.settings.lora, Path(folder))

    def _plan(self, parameters: Mapping[str, torch.Tensor]) -> list[list[str]]:
        sizes = {name: _num_bytes(parameter) for name, parameter in parameters.items()}
        return plan_buckets(sizes, self.settings.bucket_bytes)

    def _gather(self, parameters: Mapping[str, torch.Tensor]) -> Weights:
        """``parameters`` whole and on the host, on rank 0."""
        partitioned = self.settings.ranks.zero_stage == 3
        with _gathered(list(parameters.values()), self.settings.ranks.zero_stage):
            if self.rank_info.rank != 0:
                return {}
            return {
                name: to_array(parameter, copy=partitioned)
                for name, parameter in parameters.items()
            }

    def _backward(self, micro_batch: MicroBatch, objective: Objective) -> torch.Tensor:
        """Accumulate gradients; returns the totals of :class:`Update`."""
        weights = self._tensor(micro_batch.token_weights)
        losses, entropies = self._token_losses(micro_batch, objective)
        loss = (losses.loss * weights).sum()
        self.engine.backward(loss * self.rank_info.num_ranks, scale_wrt_gas=False)
        counted = (weights > 0).double()
        totals = (
            loss.detach(),
            counted.sum(),
            torch.tensor(float(self.forward.num_tokens(micro_batch))),
            (losses.clipped * counted).sum(),
            (losses.log_ratio.abs() * counted).sum(),
            (entropies * counted).sum(),
            (losses.mismatch * counted).sum(),
            (losses.corrected * counted).sum(),
        )
        return torch.stack([total.double().to(self.device) for total in totals])

    def _token_losses(
        self, micro_batch: MicroBatch, objective: Objective
    ) -> tuple[TokenLosses, torch.Tensor]:
        """The losses of a micro-batch, and the entropies [K] of the distributions."""
        if isinstance(objective, ImitationObjective):
            logprobs, entropies = self.forward.token_outputs(micro_batch, temperature=1.0)
            return imitation_loss(logprobs), entropies
        # Before the pass that is learned from: ZeRO-3 knows one order of the layers at a time.
        reference = self._reference_logprobs(micro_batch, objective)
        logprobs, entropies = self.forward.token_outputs(
            micro_batch,
            temperature=objective.temperature,
            learn_entropy=objective.entropy_bonus > 0,
        )
        proximal = micro_batch.proximal_logprobs
        losses = policy_loss(
            logprobs,
            self._tensor(micro_batch.old_logprobs),
            self._tensor(micro_batch.advantages),
            objective,
            row_of_token=self._tensor(micro_batch.row_of_token),
            proximal_logprobs=None if proximal is None else self._tensor(proximal),
            reference_logprobs=reference,
            entropies=entropies,
        )
        return losses, entropies.detach()

    @torch.no_grad()
    def _reference_logprobs(
        self, micro_batch: MicroBatch, objective: PolicyObjective
    ) -> torch.Tensor | None:
        """[K] what the model said before it was trained, where the objective asks for that."""
        if objective.kl is None:
            return None
        model: Any = self.model
        without_adapters = (
            model.disable_adapter() if self.settings.lora else contextlib.nullcontext()
        )
        with without_adapters:
            return self._reference.token_outputs(micro_batch, temperature=objective.temperature)[0]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)

    def _sum_over_ranks(self, totals: torch.Tensor) -> torch.Tensor:
        if self.rank_info.num_ranks > 1:
            torch.distributed.all_reduce(totals)
        return totals


def _join(settings: RankSettings, rank_info: RankInfo) -> None:
    """Set the environment DeepSpeed reads, and meet the other ranks."""
    os.environ.update(
        RANK=str(rank_info.rank),
        WORLD_SIZE=str(rank_info.num_ranks),
        LOCAL_RANK="0",  # Ray shows each rank its own GPU alone
        MASTER_ADDR=rank_info.master_address,
        MASTER_PORT=str(rank_info.master_port),
        DS_ACCELERATOR=settings.device,
    )
    import deepspeed

    deepspeed.logger.setLevel("ERROR")
    # DeepSpeed would compile a shared-memory all-reduce for CPU ranks at its first use: most of
    # a minute, a compiler needed, and a kill meanwhile leaves a lock on which every later start
    # waits for ever. Gloo does the same work.
    if settings.device == "cpu":
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    elif torch.cuda.device_count() != 1:
        raise LearningError(
            f"a rank sees {torch.cuda.device_count()} GPUs, expected the one that Ray gave it. "
            "Start Ray without RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES."
        )
    deepspeed.init_distributed(
        "nccl" if settings.device == "cuda" else "gloo",
        auto_mpi_discovery=False,
        verbose=False,
        timeout=NEVER,
    )


def _start_engine(settings: RankSettings, rank_info: RankInfo) -> Any:
    import deepspeed

    model = load_model(settings.model_path, settings.dtype, trust_code=settings.trust_code)
    if settings.lora:
        model = add_adapters(model, settings.lora)
    elif settings.trained.train == "language":
        freeze_vision(model)
    model.to(settings.device)
    policy = Policy(model, recompute_activations=settings.ranks.recompute_activations)
    engine, *_ = deepspeed.initialize(
        model=policy,
        optimizer=make_optimiser(policy, settings),
        config=deepspeed_config(settings, num_parameters(model), rank_info.ranks_per_node),
    )
    return engine


def _gathered(parameters: list[torch.Tensor], zero_stage: int) -> Any:
    """Makes ZeRO-3 parameters whole within the context; does nothing below stage 3."""
    import deepspeed

    return deepspeed.zero.GatheredParameters(parameters, enabled=zero_stage == 3)


def _num_bytes(parameter: torch.Tensor) -> int:
    """Size of the whole parameter: ZeRO-3 leaves an empty tensor and its true size."""
    return int(getattr(parameter, "ds_numel", parameter.numel())) * parameter.element_size()
