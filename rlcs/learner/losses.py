"""The two losses: the clipped policy loss of the RL run, the likelihood of the cold start.

Policy loss (PPO, arXiv 1707.06347, eq. 7, with DAPO's higher upper clip, arXiv 2503.14476)
for a token with ratio r = pi / pi_old and advantage A::

    -min(r A, clip(r, 1 - clip_low, 1 + clip_high) A)

Left out, as published for RLCS: a KL term to a reference model and an entropy bonus (the
latter garbled the output of long runs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyObjective:
    """Learn from rewards."""

    clip_low: float
    clip_high: float
    temperature: float
    """The sampling temperature, so that ratios compare like with like."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImitationObjective:
    """Learn to write the demonstrated tokens."""


Objective: TypeAlias = PolicyObjective | ImitationObjective


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLosses:
    """Losses of one micro-batch and what they were made of, each [R, T]."""

    loss: torch.Tensor
    clipped: torch.Tensor
    """bool, where the clip took the gradient away."""
    log_ratio: torch.Tensor


def policy_loss(
    logprobs: torch.Tensor,
    old_logprobs: torch.Tensor,
    advantages: torch.Tensor,
    objective: PolicyObjective,
) -> TokenLosses:
    """Token losses [R, T] from log-probabilities [R, T] and advantages [R]."""
    log_ratio = logprobs - old_logprobs
    ratio = log_ratio.exp()
    limited = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    gain, limited_gain = ratio * advantages[:, None], limited * advantages[:, None]
    return TokenLosses(
        loss=-torch.minimum(gain, limited_gain),
        clipped=limited_gain < gain,
        log_ratio=log_ratio.detach(),
    )


def imitation_loss(logprobs: torch.Tensor) -> TokenLosses:
    """Negative log-likelihood [R, T]."""
    return TokenLosses(
        loss=-logprobs,
        clipped=torch.zeros_like(logprobs, dtype=torch.bool),
        log_ratio=torch.zeros_like(logprobs),
    )


def completion_logprobs(
    logits: torch.Tensor, token_ids: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Log-probabilities [R, T] of ``token_ids`` [R, T] under ``logits`` [R, T, vocabulary]."""
    scaled = logits.float() / temperature
    chosen = scaled.gather(-1, token_ids[..., None])[..., 0]
    return chosen - scaled.logsumexp(-1)
