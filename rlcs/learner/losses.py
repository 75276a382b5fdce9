"""The losses: the policy objective of the RL run, the likelihood of the cold start.

The policy objective is put together of small parts, each by its name (``rlcs.config.objective``
has the published sets of them). For a token with advantage A and ratio r = pi / pi_old

- the *ratio* is the token's, or the geometric mean over its completion (GSPO, arXiv 2507.18071)
- the *bound* is PPO's clip with DAPO's higher upper end (1707.06347, eq. 7; 2503.14476)::

      -min(r A, clip(r, 1 - low, 1 + high) A)

  or that with a floor where A < 0, so that a bad token that became likely has no gradient without
  end (dual clip, 1912.09729, eq. 5)::

      -max(min(r A, clip(r) A), c A)

  or a weight without a gradient before the log-probability (CISPO, 2506.13585, eq. 4)::

      -stop(clip(r)) A log pi

- the *divisor* is fixed when the batch is packed (``rlcs.learner.packing``)

The policy that sampled a token is not quite the one that learns: an engine computes with other
kernels than the learner, and may serve older weights. With a :class:`Correction` the two steps
from the sampling policy mu to the learning one are kept apart (decoupled objective, Hilton et al.,
arXiv 2110.00641, eq. 7)::

    mu  --weight-->  pi_old  --bound-->  pi

where pi_old is the learner's own log-probability before the step's first update. The bound then
limits the update alone, and a constant weight w = pi_old / mu corrects what was sampled. It is
truncated at ``high`` (truncated importance sampling, Ionides 2008; Yao et al. 2025, "Your efficient
RL framework secretly brings you off-policy RL training") or a weight outside of ``low`` to ``high``
is masked, so that a token the learner finds impossible cannot blow up a gradient. It is taken for
each token, which is biased and steady, or for the whole completion as the product over its tokens,
which is exact and noisy (Liu et al. 2025, "When speed kills stability"), or as their geometric
mean.

In a step's first update pi_old equals pi, so that its log-probabilities need no pass of their own.

Left out by default, as published for RLCS: a price for leaving the reference model, and an entropy
bonus (the latter garbled the output of long runs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """How the weight pi_old / mu is taken and kept in bounds."""

    level: str
    """``token``, ``sequence`` or ``sequence_mean``."""
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
        if self.level != "token":
            combined = _sums if self.level == "sequence" else _means
            log_ratio = combined(log_ratio, row_of_token)[row_of_token]
        ratio = log_ratio.exp()
        if self.mode == "truncate":
            return ratio.clamp(max=self.high), ratio > self.high
        outside = (ratio < self.low) | (ratio > self.high)
        return ratio.masked_fill(outside, 0.0), outside


@dataclass(frozen=True, kw_only=True, slots=True)
class KlTerm:
    """The price of leaving the reference model."""

    coefficient: float
    kind: str
    """A name of KL_ESTIMATES, or ``k1``, which is taken off the advantages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyObjective:
    """Learn from rewards."""

    clip_low: float
    clip_high: float
    temperature: float
    """The sampling temperature, so that ratios compare like with like."""
    ratio: str = "token"
    """A name of RATIOS."""
    bound: str = "clip"
    """A name of BOUNDS."""
    dual_clip: float = 3.0
    correction: Correction | None = None
    """None compares the learning policy with the sampling one directly, within the bound."""
    kl: KlTerm | None = None
    entropy_bonus: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ImitationObjective:
    """Learn to write the demonstrated tokens."""


Objective: TypeAlias = PolicyObjective | ImitationObjective


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLosses:
    """Losses of one micro-batch and what they were made of, each [K]."""

    loss: torch.Tensor
    clipped: torch.Tensor
    """bool, where the bound took the gradient away, or cut its weight off."""
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
    reference_logprobs: torch.Tensor | None = None,
    entropies: torch.Tensor | None = None,
) -> TokenLosses:
    """Token losses [K] from log-probabilities [K] and advantages [R].

    ``old_logprobs`` are those of the policy that sampled the tokens, ``proximal_logprobs`` the
    learner's own before the step's first update (None in that update), ``row_of_token`` [K] the
    completion, in [0, R), that each token is of. ``reference_logprobs`` and ``entropies`` are read
    where the objective has terms of them.
    """
    proximal = logprobs.detach() if proximal_logprobs is None else proximal_logprobs
    weights, corrected = torch.ones_like(proximal), torch.zeros_like(proximal, dtype=torch.bool)
    if objective.correction is None:
        log_ratio = logprobs - old_logprobs
    else:
        log_ratio = logprobs - proximal
        weights, corrected = objective.correction.weights(proximal - old_logprobs, row_of_token)
    gains = advantages[row_of_token]
    if objective.kl is not None and objective.kl.kind == "k1":
        assert reference_logprobs is not None
        gains = gains - objective.kl.coefficient * (proximal - reference_logprobs)
    log_ratio = RATIOS[objective.ratio](log_ratio, row_of_token)
    loss, clipped = BOUNDS[objective.bound](log_ratio, logprobs, gains, objective)
    loss = loss * weights
    if objective.kl is not None and objective.kl.kind != "k1":
        assert reference_logprobs is not None
        estimate = KL_ESTIMATES[objective.kl.kind](reference_logprobs - logprobs)
        loss = loss + objective.kl.coefficient * estimate
    if objective.entropy_bonus:
        assert entropies is not None
        loss = loss - objective.entropy_bonus * entropies
    return TokenLosses(
        loss=loss,
        clipped=clipped,
        log_ratio=(logprobs - old_logprobs).detach(),
        mismatch=_divergence(proximal - old_logprobs),
        corrected=corrected,
    )


def imitation_loss(logprobs: torch.Tensor) -> TokenLosses:
    """Negative log-likelihood [K]."""
    return TokenLosses(
        loss=-logprobs,
        clipped=torch.zeros_like(logprobs, dtype=torch.bool),
        log_ratio=torch.zeros_like(logprobs),
        mismatch=torch.zeros_like(logprobs),
        corrected=torch.zeros_like(logprobs, dtype=torch.bool),
    )


def _of_token(log_ratio: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    return log_ratio


def _of_sequence(log_ratio: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    return _means(log_ratio, row_of_token)[row_of_token]


def _clip(
    log_ratio: torch.Tensor,
    logprobs: torch.Tensor,
    advantages: torch.Tensor,
    objective: PolicyObjective,
) -> tuple[torch.Tensor, torch.Tensor]:
    gain, limited = log_ratio.exp() * advantages, _limited(log_ratio, objective) * advantages
    return -torch.minimum(gain, limited), limited < gain


def _dual_clip(
    log_ratio: torch.Tensor,
    logprobs: torch.Tensor,
    advantages: torch.Tensor,
    objective: PolicyObjective,
) -> tuple[torch.Tensor, torch.Tensor]:
    loss, clipped = _clip(log_ratio, logprobs, advantages, objective)
    most = -objective.dual_clip * advantages
    over = (advantages < 0) & (loss > most)
    return torch.where(over, most, loss), clipped | over


def _cispo(
    log_ratio: torch.Tensor,
    logprobs: torch.Tensor,
    advantages: torch.Tensor,
    objective: PolicyObjective,
) -> tuple[torch.Tensor, torch.Tensor]:
    limited = _limited(log_ratio, objective).detach()
    return -limited * advantages * logprobs, limited != log_ratio.exp()


def _limited(log_ratio: torch.Tensor, objective: PolicyObjective) -> torch.Tensor:
    return log_ratio.exp().clamp(1 - objective.clip_low, 1 + objective.clip_high)


def _half_square(log_ratio: torch.Tensor) -> torch.Tensor:
    return log_ratio.square() / 2


def _divergence(log_ratio: torch.Tensor) -> torch.Tensor:
    return log_ratio.exp() - 1 - log_ratio


RATIOS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "token": _of_token,
    "sequence": _of_sequence,
}
"""From log(pi / pi_old) [K] of tokens to what is bounded [K]."""

BOUNDS: dict[
    str,
    Callable[
        [torch.Tensor, torch.Tensor, torch.Tensor, PolicyObjective],
        tuple[torch.Tensor, torch.Tensor],
    ],
] = {"clip": _clip, "dual_clip": _dual_clip, "cispo": _cispo}
"""Losses [K], and where [K] the bound was at work."""

KL_ESTIMATES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "k2": _half_square,
    "k3": _divergence,
}
"""Estimates [K] of the divergence of pi from the reference, of log(reference / pi) [K]."""


def _sums(of_tokens: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """[R] the sums of ``of_tokens`` [K] over each completion."""
    num_rows = int(row_of_token.max()) + 1
    return of_tokens.new_zeros(num_rows).index_add(0, row_of_token, of_tokens)


def _means(of_tokens: torch.Tensor, row_of_token: torch.Tensor) -> torch.Tensor:
    """[R] the means of ``of_tokens`` [K] over each completion."""
    lengths = _sums(torch.ones_like(of_tokens), row_of_token)
    return _sums(of_tokens, row_of_token) / lengths.clamp(min=1)
