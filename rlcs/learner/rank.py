"""One DeepSpeed rank: a model, its optimiser, and the update. Runs without Ray around it.

ZeRO stages 0 to 3 and any number of ranks take the same path. DeepSpeed is told that we
decide where an update ends (``managed_gradient_accumulation`` off): a step may be made of
any number of micro-batches. The loss of a micro-batch already carries its exact weight in
the whole batch; DeepSpeed averages gradients over ranks, so it is multiplied by their number.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rlcs.errors import LearningError, ModelError
from rlcs.learner.losses import (
    ImitationObjective,
    Objective,
    PolicyObjective,
    TokenLosses,
    completion_logprobs,
    imitation_loss,
    policy_loss,
)
from rlcs.learner.optimiser import clips_itself, make_optimiser
from rlcs.learner.packing import MicroBatch
from rlcs.learner.rank_settings import RankPlace, RankSettings
from rlcs.types import StepReport
from rlcs.weights import Weights, to_array


class LearnerRank:
    """A rank of the learner."""

    def __init__(self, settings: RankSettings, place: RankPlace) -> None:
        """Join the other ranks and load the model; returns when all ranks are there."""
        self.settings = settings
        self.place = place
        self.device = torch.device(settings.device)
        _join(settings, place)
        torch.set_num_threads(settings.num_threads)
        random.seed(settings.seed)
        np.random.seed(settings.seed % 2**32)
        torch.manual_seed(settings.seed)
        self.engine = _start_engine(settings)

    def learn(
        self, micro_batches: Sequence[MicroBatch], objective: Objective, learning_rate: float
    ) -> StepReport:
        """One optimiser step on this rank's part of the batch.

        Raises:
            LearningError: the loss or the gradient is not finite; no weight was changed.
        """
        for group in self.engine.optimizer.param_groups:
            group["lr"] = learning_rate
        self.engine.train()
        self.engine.zero_grad()
        totals = torch.zeros(8, dtype=torch.float64, device=self.device)
        for micro_batch in micro_batches:
            totals += self._backward(micro_batch, objective)
        totals = self._sum_over_ranks(totals)
        loss = float(totals[0])
        if not math.isfinite(loss):
            raise LearningError(
                f"the loss of this update is {loss}: expected a finite number. The weights were "
                "left as they were. Look at the last steps' gradient norms in log/steps.jsonl; "
                "a lower learner.learning_rate, a longer warm-up or float32 usually help."
            )
        self.engine.step()
        grad_norm = float(self.engine.get_global_grad_norm())
        if not math.isfinite(grad_norm):
            raise LearningError(
                f"the gradient norm of this update is {grad_norm}: expected a finite number. "
                "Resume from the last checkpoint with a lower learner.learning_rate, or in float32."
            )
        num_tokens = max(1.0, float(totals[1]))
        return StepReport(
            loss=loss,
            grad_norm=grad_norm,
            learning_rate=learning_rate,
            num_samples=0,
            num_loss_tokens=int(totals[1]),
            num_padded_tokens=int(totals[2]),
            clip_fraction=float(totals[3]) / num_tokens,
            mean_abs_log_ratio=float(totals[4]) / num_tokens,
            entropy=float(totals[5]) / num_tokens,
            mismatch=float(totals[6]) / num_tokens,
            corrected_fraction=float(totals[7]) / num_tokens,
        )

    @torch.no_grad()
    def logprobs(
        self, micro_batches: Sequence[MicroBatch], objective: PolicyObjective
    ) -> list[np.ndarray]:
        """Log-probabilities [R, T] of each micro-batch's completions; no weight is changed."""
        self.engine.eval()
        return [
            self._token_losses(micro_batch, objective)[0].cpu().numpy()
            for micro_batch in micro_batches
        ]

    def weights(self) -> Weights:
        """All trained parameters; complete on rank 0, empty on the others.

        Every rank must call it: under ZeRO-3 each parameter is gathered from all.
        """
        gathered: Weights = {}
        for name, parameter in self.engine.module.named_parameters():
            with _gathered(parameter, self.settings.ranks.zero_stage):
                if self.place.rank == 0:
                    gathered[name] = to_array(parameter)
        return gathered

    def save(self, folder: str) -> None:
        """Write optimiser and weights for an exact resume into ``folder``; every rank calls it."""
        self.engine.save_checkpoint(folder, tag="state", save_latest=False)

    def load(self, folder: str) -> None:
        """Continue exactly from :meth:`save`; every rank calls it."""
        found = Path(folder, "state").is_dir()  # DeepSpeed has an assertion for an answer
        if not found or self.engine.load_checkpoint(folder, tag="state")[0] is None:
            raise LearningError(
                f"expected a learner state in {folder}, found none that DeepSpeed can read."
            )

    def export(self, folder: str) -> None:
        """Write a Hugging Face model folder (rank 0 writes, every rank must call it)."""
        weights = self.weights()
        if self.place.rank == 0:
            state = {name: _to_tensor(array) for name, array in weights.items()}
            self.engine.module.save_pretrained(folder, state_dict=state)

    def _backward(self, micro_batch: MicroBatch, objective: Objective) -> torch.Tensor:
        """Accumulate gradients; returns the eight totals that :meth:`learn` reports."""
        weights = torch.from_numpy(micro_batch.token_weights).to(self.device)
        logprobs, losses = self._token_losses(micro_batch, objective)
        loss = (losses.loss * weights).sum()
        self.engine.backward(loss * self.place.num_ranks, scale_wrt_gas=False)
        counted = (weights > 0).double()
        return torch.stack(
            [
                loss.detach().double(),
                counted.sum(),
                torch.tensor(
                    float(micro_batch.token_ids.size), dtype=torch.float64, device=self.device
                ),
                (losses.clipped * counted).sum(),
                (losses.log_ratio.abs() * counted).sum(),
                (-logprobs.detach() * counted).sum(),
                (losses.mismatch * counted).sum(),
                (losses.corrected * counted).sum(),
            ]
        )

    def _token_losses(
        self, micro_batch: MicroBatch, objective: Objective
    ) -> tuple[torch.Tensor, TokenLosses]:
        token_ids = torch.from_numpy(micro_batch.token_ids).to(self.device)
        mask = torch.from_numpy(micro_batch.attention_mask).to(self.device)
        columns = micro_batch.num_completion_columns
        # The logit before a token predicts it: one column more, and the last one is not needed.
        logits = self.engine(
            input_ids=token_ids,
            attention_mask=mask.long(),
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            logits_to_keep=columns + 1,
            use_cache=False,
        ).logits[:, :-1]
        targets = token_ids[:, -columns:]
        if isinstance(objective, ImitationObjective):
            logprobs = completion_logprobs(logits, targets, 1.0)
            return logprobs, imitation_loss(logprobs)
        logprobs = completion_logprobs(logits, targets, objective.temperature)
        old_logprobs = torch.from_numpy(micro_batch.old_logprobs).to(self.device)
        advantages = torch.from_numpy(micro_batch.advantages).to(self.device)
        proximal = micro_batch.proximal_logprobs
        losses = policy_loss(
            logprobs,
            old_logprobs,
            advantages,
            objective,
            counted=torch.from_numpy(micro_batch.token_weights > 0).to(self.device),
            proximal_logprobs=None
            if proximal is None
            else torch.from_numpy(proximal).to(self.device),
        )
        return logprobs, losses

    def _sum_over_ranks(self, totals: torch.Tensor) -> torch.Tensor:
        if self.place.num_ranks > 1:
            torch.distributed.all_reduce(totals)
        return totals


def _join(settings: RankSettings, place: RankPlace) -> None:
    """Set the environment DeepSpeed reads, and meet the other ranks."""
    os.environ.update(
        RANK=str(place.rank),
        WORLD_SIZE=str(place.num_ranks),
        LOCAL_RANK="0",  # Ray shows each rank its own GPU alone
        MASTER_ADDR=place.master_address,
        MASTER_PORT=str(place.master_port),
        DS_ACCELERATOR=settings.device,
    )
    import deepspeed

    deepspeed.logger.setLevel("ERROR")
    # DeepSpeed would compile a shared-memory all-reduce for CPU ranks at its first use: most of
    # a minute, a compiler needed, and a kill meanwhile leaves a lock on which every later start
    # waits for ever. Gloo does the same work.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    backend = "nccl" if settings.device == "cuda" else "gloo"
    deepspeed.init_distributed(backend, auto_mpi_discovery=False, verbose=False)


def _start_engine(settings: RankSettings) -> Any:
    import deepspeed
    from transformers import AutoModelForCausalLM

    try:
        model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
            settings.model_path, dtype=getattr(torch, settings.dtype)
        )
    except OSError as error:
        raise ModelError(f"model.path = {settings.model_path} cannot be loaded: {error}") from error
    model.to(settings.device)
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=make_optimiser(model, settings), config=_deepspeed_config(settings)
    )
    return engine


def _deepspeed_config(settings: RankSettings) -> dict[str, Any]:
    return {
        "train_micro_batch_size_per_gpu": 1,  # asked for by DeepSpeed; micro-batches are ours
        "managed_gradient_accumulation": False,
        "gradient_clipping": 0.0 if clips_itself(settings) else settings.optimiser.max_grad_norm,
        "bf16": {"enabled": settings.dtype == "bfloat16"},
        "zero_optimization": {"stage": settings.ranks.zero_stage},
        "zero_allow_untested_optimizer": True,
        "steps_per_print": 10**9,
    }


def _gathered(parameter: torch.Tensor, zero_stage: int) -> Any:
    """Makes a ZeRO-3 parameter whole within the context; does nothing below stage 3."""
    import deepspeed

    return deepspeed.zero.GatheredParameters([parameter], enabled=zero_stage == 3)


def _to_tensor(array: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor
