"""DeepSpeed ranks, a plain torch learner to compare them with, and ways to compare weights."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from rlcs.config import LoraSection, OptimiserSection, RanksSection, TrainedSection
from rlcs.learner.losses import Objective, PolicyObjective
from rlcs.learner.packing import pack
from rlcs.learner.rank import LearnerRank
from rlcs.learner.rank_settings import RankInfo, RankSettings
from rlcs.model.weights import Weights
from rlcs.types import StepReport, TrainingSample

LEARNING_RATE = 1e-4
MAX_GRAD_NORM = 0.05
"""Well under the gradients of the tiny model, so that clipping is at work."""


@pytest.fixture(scope="session")
def make_settings(tiny_model: str) -> Callable[..., RankSettings]:
    """Makes settings; keywords go to the optimiser, but for a few."""

    def make(
        *,
        zero_stage: int = 0,
        num_ranks: int = 1,
        dtype: str = "float32",
        lora: LoraSection | None = None,
        train: str = "all",
        model_path: str = tiny_model,
        with_reference: bool = False,
        offload_optimizer: bool = False,
        **optimiser: Any,
    ):
        options = {
            "learning_rate": LEARNING_RATE,
            "weight_decay": 0.1,
            "beta2": 0.95,
            "max_grad_norm": MAX_GRAD_NORM,
        }
        return RankSettings(
            model_path=model_path,
            dtype=dtype,
            device="cpu",
            num_threads=1,
            seed=0,
            optimiser=OptimiserSection(**{**options, **optimiser}),
            ranks=RanksSection(
                num_ranks=num_ranks, zero_stage=zero_stage, offload_optimizer=offload_optimizer
            ),
            with_reference=with_reference,
            trained=TrainedSection(lora=lora) if lora else TrainedSection(train=train),
        )

    return make


@pytest.fixture(scope="session")
def make_rank(make_settings: Callable[..., RankSettings]) -> Callable[..., LearnerRank]:
    """Makes a rank that is alone, in this process; all of them share one meeting."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rank_info = RankInfo(rank=0, num_ranks=1, master_address="127.0.0.1", master_port=port)
    return lambda **settings: LearnerRank(make_settings(**settings), rank_info)


@pytest.fixture(scope="session")
def objective() -> PolicyObjective:
    """Narrow clips, so that both sides are met by random samples."""
    return PolicyObjective(clip_low=0.2, clip_high=0.28, temperature=0.8)


@pytest.fixture(scope="session")
def update() -> Callable[..., StepReport]:
    """One update of a rank that is alone."""

    def learn(
        rank: LearnerRank,
        samples: Sequence[TrainingSample],
        objective: Objective,
        *,
        loss: str = "per_sample",
        micro_batch_tokens: int = 100,
        learning_rate: float = LEARNING_RATE,
    ) -> StepReport:
        (share,) = pack(samples, loss=loss, num_ranks=1, micro_batch_tokens=micro_batch_tokens)
        return rank.learn(share, objective, learning_rate)

    return learn


@pytest.fixture(scope="session")
def plain_learner(tiny_model: str) -> Callable[..., tuple[Weights, list[dict[str, float]]]]:
    """The same learner in a few lines of torch: one sample at a time, no padding, no cutting."""

    def learn(
        batches: Sequence[Sequence[TrainingSample]], objective: Any, loss: str
    ) -> tuple[Weights, list[dict[str, float]]]:
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1
        )
        reports = []
        for samples in batches:
            optimiser.zero_grad()
            total = _batch_loss(model, samples, objective, loss)
            total.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
            optimiser.step()
            reports.append({"loss": total.item(), "grad_norm": norm.item()})
        named = model.named_parameters()
        return {name: parameter.detach().numpy() for name, parameter in named}, reports

    return learn


def _batch_loss(model: Any, samples: Any, objective: Any, loss: str) -> torch.Tensor:
    losses = []
    for sample in samples:
        token_ids = torch.from_numpy(sample.token_ids)[None]
        first = sample.num_prompt_tokens
        if isinstance(objective, PolicyObjective):
            logits = model(token_ids).logits[0, first - 1 : -1] / objective.temperature
        else:
            logits = model(token_ids).logits[0, first - 1 : -1]
        logprobs = logits.log_softmax(-1).gather(-1, token_ids[0, first:, None])[:, 0]
        if isinstance(objective, PolicyObjective):
            ratio = (logprobs - torch.from_numpy(sample.old_logprobs)).exp()
            limited = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
            token_losses = -torch.minimum(ratio * sample.advantage, limited * sample.advantage)
        else:
            token_losses = -logprobs
        losses.append(token_losses[torch.from_numpy(sample.loss_mask)])
    if loss == "per_sample":
        return torch.stack([part.mean() for part in losses]).mean()
    return torch.cat(losses).mean()


@pytest.fixture(scope="session")
def assert_close() -> Callable[[Weights, Weights], None]:
    """Weights that differ by rounding alone: Adam makes much of the smallest gradients."""

    def check(found: Weights, expected: Weights) -> None:
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(
                found[name], array, rtol=0, atol=LEARNING_RATE / 30, err_msg=name
            )

    return check


@pytest.fixture(scope="session")
def assert_equal() -> Callable[[Weights, Weights], None]:
    """The same weights bit for bit."""

    def check(found: Weights, expected: Weights) -> None:
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, err_msg=name)

    return check
