"""The two losses: the clipped policy loss of the RL run, the likelihood of the cold start.

Policy loss (PPO, arXiv 1707.06347, eq. 7, with DAPO's higher upper clip, arXiv 2503.14476)
for a token with ratio r = pi / pi_old and advantage A::

    -min(r A, clip(r, 1 - clip_low, 1 + clip_high) A)

The policy that sampled a token is not quite the one that learns: an engine computes with other
kernels than the learner, and may serve older weights. With a :class:`Correction` the two steps
from the sampling policy mu to the learning one are kept apart (decoupled objective, Hilton et al.,
arXiv 2110.00641, eq. 7)::

    mu  --weight-->  pi_old  --clip-->  pi

where pi_old is the learner's own log-probability before the step's first update. The clip then
bounds the update alone, and a constant weight w = pi_old / mu corrects what was sampled. It is
truncated at ``high`` (truncated importance sampling, Ionides 2008; Yao et al. 2025, "Your efficient
RL framework secretly brings you off-policy RL training") or a weight outside of ``low`` to ``high``
is masked, so that a token the learner finds impossible cannot blow up a gradient. It is taken for
each token, which is biased and steady, or for the whole completion as the product over its tokens,
which is exact and noisy (Liu et al. 2025, "When speed kills stability").

In a step's first update pi_old equals pi, so that its log-probabilities need no pass of their own.

Left out, as published for RLCS: a KL term to a reference model and an entropy bonus (the
latter garbled the output of long runs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """How the weight pi_old / mu is taken and kept in bounds."""

    level: str
    """``token`` or ``sequence``."""
    mode: str
    """``truncate`` at ``high``, or ``mask`` what lies outside of ``low`` to ``high``."""
    low: float
    high: float

    def weights(
        self, log_ratio: torch.Tensor, row_of_token: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights [K] from log(pi_old / mu) [K], and where [K] they were limited.

        ``row_of_token`` [K] says which tokens are of the same completion.
        """
        if self.level == "sequence":
            log_ratio = _sums(log_ratio, row_of_token)[row_of_token]
        ratio = log_ratio.exp()
        if self.mode == "truncate":
            return ratio.clamp(max=self.high), ratio > self.high
        outside = (ratio < self.low) | (ratio > self.high)
        return ratio.masked_fill(outside, 0.0), outside


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyObjective:
    """Learn from rewards."""

    clip_low: float
    clip_high: float
    temperature: float
    """The sampling temperature, so that ratios compare like with like."""
    correction: Correction | None = None
    """None compares the learning policy with the sampling one directly, within the clip."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImitationObjective:
    """Learn to write the demonstrated tokens."""


Objective: TypeAlias = PolicyObjective | ImitationObjective


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLosses:
    """Losses of one micro-batch and what they were made of, each [K]."""

    loss: torch.Tensor
    clipped: torch.Tensor
    """bool, where the clip took the gradient away."""
    log_ratio: torch.Tensor
    """log(pi / mu), mu being the policy that sampled the token."""
    mismatch: torch.Tensor
    """r - 1 - log r with r = pi_old / mu: its mean over sampled tokens estimates the KL divergence
    of pi_old from mu (Schulman, "Approximating KL divergence", k3), in nats."""
    corrected: torch.Tensor
    """bool, where the weight was truncated or masked."""


def policy_loss(
    logprobs: torch.Tensor,
    old_logprobs: torch.Tensor,
    advantages: torch.Tensor,
    objective: PolicyObjective,
    *,
    row_of_token: torch.Tensor,
    proximal_logprobs: torch.Tensor | None = None,
) -> TokenLosses:
    """Token losses [K] from log-probabilities [K] and advantages [R].

    ``old_logprobs`` are those of the policy that sampled the tokens, ``proximal_logprobs`` the
    learner's own before the step's first update (None in that update), ``row_of_token`` [K] the
    completion, in [0, R), that each token is of.
    """
    proximal = logprobs.detach() if proximal_logprobs is None else proximal_logprobs
    weights, corrected = torch.ones_like(proximal), torch.zeros_like(proximal, dtype=torch.bool)
    if objective.correction is None:
        log_ratio = logprobs - old_logprobs
    else:
        log_ratio = logprobs - proximal
        weights, corrected = objective.correction.weights(proximal - old_logprobs, row_of_token)
    ratio = log_ratio.exp()
    limited = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    advantages = advantages[row_of_token]
    gain, limited_gain = ratio * advantages, limited * advantages
    return TokenLosses(
        loss=-torch.minimum(gain, limited_gain) * weights,
        clipped=limited_gain < gain,
        log_ratio=(logprobs - old_logprobs).detach(),
        mismatch=_divergence(proximal - old_logprobs),
        corrected=corrected,
    )


def _sums(of_tokens: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """[R] the sums of ``of_tokens`` [K] over each completion."""
    num_rows = int(row_of_token.max()) + 1
    return of_tokens.new_zeros(num_rows).index_add(0, row_of_token, of_tokens)


def _divergence(log_ratio: torch.Tensor) -> torch.Tensor:
    return log_ratio.exp() - 1 - log_ratio


def imitation_loss(logprobs: torch.Tensor) -> TokenLosses:
    """Negative log-likelihood [K]."""
    return TokenLosses(
        loss=-logprobs,
        clipped=torch.zeros_like(logprobs, dtype=torch.bool),
        log_ratio=torch.zeros_like(logprobs),
        mismatch=torch.zeros_like(logprobs),
        corrected=torch.zeros_like(logprobs, dtype=torch.bool),
    )
