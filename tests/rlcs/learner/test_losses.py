"""Token losses and their gradients against tables computed by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_args

import pytest
import torch

from rlcs.config import KlSection, ObjectiveSection
from rlcs.learner.losses import (
    BOUNDS,
    KL_ESTIMATES,
    RATIOS,
    Correction,
    KlTerm,
    PolicyObjective,
    imitation_loss,
    policy_loss,
)


def one(num_tokens: int) -> torch.Tensor:
    """The tokens are of one completion."""
    return torch.zeros(num_tokens, dtype=torch.long)


LOGPROB = -0.7
OBJECTIVE = PolicyObjective(clip_low=0.2, clip_high=0.28, temperature=1.0)

# ratio, advantage, loss, d loss / d log-probability, clipped
TABLE = [
    pytest.param(1.0, 2.0, -2.0, -2.0, False, id="on policy, good"),
    pytest.param(1.0, -2.0, 2.0, 2.0, False, id="on policy, bad"),
    pytest.param(1.2, 2.0, -2.4, -2.4, False, id="within the clip"),
    pytest.param(1.27, 1.0, -1.27, -1.27, False, id="below the higher clip"),
    pytest.param(1.5, 2.0, -2.56, 0.0, True, id="good and likely enough already"),
    pytest.param(1.5, -2.0, 3.0, 3.0, False, id="bad and more likely: full gradient"),
    pytest.param(0.7, 2.0, -1.4, -1.4, False, id="good and less likely: full gradient"),
    pytest.param(0.7, -2.0, 1.6, 0.0, True, id="bad and unlikely enough already"),
    pytest.param(0.9, 0.0, 0.0, 0.0, False, id="no advantage"),
]


@pytest.mark.parametrize(("ratio", "advantage", "loss", "gradient", "clipped"), TABLE)
def test_policy_loss(ratio, advantage, loss, gradient, clipped) -> None:
    old = torch.tensor([-1.5, -0.5])
    logprobs = (old + torch.tensor([math.log(ratio), 0.0])).requires_grad_()
    losses = policy_loss(logprobs, old, torch.tensor([advantage]), OBJECTIVE, row_of_token=one(2))
    assert losses.loss.tolist() == pytest.approx([loss, -advantage], abs=1e-6)
    losses.loss.sum().backward()
    assert logprobs.grad.tolist() == pytest.approx([gradient, -advantage], abs=1e-6)
    assert losses.clipped.tolist() == [clipped, False]
    assert losses.log_ratio.tolist() == pytest.approx([math.log(ratio), 0.0], abs=1e-6)
    assert not losses.log_ratio.requires_grad


def test_each_row_has_its_own_advantage() -> None:
    zeros, rows = torch.zeros(5), torch.tensor([0, 0, 1, 2, 2])
    advantages = torch.tensor([1.0, 0.0, -3.0])
    losses = policy_loss(zeros, zeros, advantages, OBJECTIVE, row_of_token=rows)
    assert losses.loss.tolist() == [-1, -1, 0, 3, 3]


def test_imitation_loss() -> None:
    logprobs = torch.tensor([-0.5, -2.0], requires_grad=True)
    losses = imitation_loss(logprobs)
    assert losses.loss.tolist() == [0.5, 2.0]
    losses.loss.sum().backward()
    assert logprobs.grad.tolist() == [-1, -1]
    assert not losses.clipped.any()
    assert not losses.log_ratio.any()


def corrected(level: str, mode: str) -> PolicyObjective:
    return dataclasses.replace(
        OBJECTIVE, correction=Correction(level=level, mode=mode, low=0.5, high=2.0)
    )


# Weights of four tokens whose ratios pi_old / mu are 1.5, 4.0, 0.25 and 1.0; the last is of
# another completion. Their product is 1.5.
RATIOS_TO_MU = [1.5, 4.0, 0.25, 1.0, 1.25]
WEIGHTS = [
    pytest.param("token", "truncate", [1.5, 2.0, 0.25, 1.0], [1], id="tokens, truncated"),
    pytest.param("token", "mask", [1.5, 0.0, 0.0, 1.0], [1, 2], id="tokens, masked"),
    pytest.param("sequence", "truncate", [1.5] * 4, [], id="sequence within bounds"),
    pytest.param("sequence", "mask", [1.5] * 4, [], id="sequence within bounds, mask"),
]


@pytest.mark.parametrize(("level", "mode", "weights", "limited"), WEIGHTS)
def test_correction_weighs_what_another_policy_drew(level, mode, weights, limited) -> None:
    logprobs = torch.full((5,), -1.0, requires_grad=True)
    mu = logprobs.detach() - torch.tensor(RATIOS_TO_MU).log()
    rows, advantages = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([-3.0, -1.0])
    losses = policy_loss(logprobs, mu, advantages, corrected(level, mode), row_of_token=rows)
    expected = [*(3.0 * weight for weight in weights), 1.25]
    assert losses.loss.tolist() == pytest.approx(expected)
    losses.loss.sum().backward()
    assert logprobs.grad.tolist() == pytest.approx(expected)
    assert losses.corrected.nonzero()[:, 0].tolist() == limited
    assert not losses.clipped.any(), "the step from the drawing policy is not the update's"
    divergence = [ratio - 1 - math.log(ratio) for ratio in RATIOS_TO_MU]
    assert losses.mismatch.tolist() == pytest.approx(divergence, rel=1e-5)
    assert losses.log_ratio.tolist() == pytest.approx([math.log(r) for r in RATIOS_TO_MU], rel=1e-5)


@pytest.mark.parametrize(
    ("mode", "ratio", "weight"), [("truncate", 1.5, 2.0), ("mask", 1.5, 0.0), ("mask", 0.8, 0.0)]
)
def test_a_whole_completion_is_limited_as_one(mode, ratio, weight) -> None:
    old = torch.full((4,), math.log(ratio))
    losses = policy_loss(
        torch.zeros(4),
        -old,
        torch.tensor([1.0]),
        corrected("sequence", mode),
        row_of_token=one(4),
    )
    assert losses.loss.tolist() == pytest.approx([-weight] * 4)
    assert losses.corrected.all()


def test_later_updates_are_clipped_against_the_learner_before_the_step() -> None:
    mu, proximal = torch.tensor([-2.0]), torch.tensor([-1.5])
    logprobs = (proximal + math.log(1.5)).requires_grad_()
    losses = policy_loss(
        logprobs,
        mu,
        torch.tensor([1.0]),
        corrected("token", "truncate"),
        row_of_token=one(1),
        proximal_logprobs=proximal,
    )
    assert losses.loss.item() == pytest.approx(-1.28 * math.exp(0.5))
    assert losses.clipped.all()


def test_without_correction_the_weight_is_one() -> None:
    mu, logprobs = torch.tensor([-2.0]), torch.tensor([-1.9])
    plain = policy_loss(logprobs, mu, torch.tensor([1.0]), OBJECTIVE, row_of_token=one(1))
    assert plain.loss.item() == pytest.approx(-math.exp(0.1))
    assert not plain.corrected.any()
    assert plain.mismatch.item() == pytest.approx(math.exp(0.1) - 1.1, rel=1e-3)


def of(**parts: Any) -> PolicyObjective:
    return dataclasses.replace(OBJECTIVE, **parts)


# bound, ratio, advantage, loss, d loss / d log-probability, limited
BOUND_TABLE = [
    pytest.param("dual_clip", 2.0, -1.0, 2.0, 2.0, False, id="dual: below the floor, as PPO"),
    pytest.param("dual_clip", 5.0, -1.0, 3.0, 0.0, True, id="dual: bad and far too likely"),
    pytest.param("dual_clip", 5.0, 1.0, -1.28, 0.0, True, id="dual: good ones as PPO"),
    pytest.param("cispo", 1.0, 2.0, -2.0 * LOGPROB, -2.0, False, id="cispo: on policy"),
    pytest.param("cispo", 5.0, 2.0, -2.56 * LOGPROB, -2.56, True, id="cispo: keeps the gradient"),
    pytest.param("cispo", 0.1, -1.0, 0.8 * LOGPROB, 0.8, True, id="cispo: and from below"),
]


@pytest.mark.parametrize(
    ("bound", "ratio", "advantage", "loss", "gradient", "limited"), BOUND_TABLE
)
def test_bounds(bound, ratio, advantage, loss, gradient, limited) -> None:
    logprobs = torch.tensor([LOGPROB], requires_grad=True)
    old = logprobs.detach() - math.log(ratio)
    losses = policy_loss(
        logprobs, old, torch.tensor([advantage]), of(bound=bound), row_of_token=one(1)
    )
    assert losses.loss.item() == pytest.approx(loss, abs=1e-6)
    losses.loss.sum().backward()
    assert logprobs.grad.item() == pytest.approx(gradient, abs=1e-6)
    assert losses.clipped.tolist() == [limited]


def test_the_ratio_of_a_sequence_is_the_geometric_mean() -> None:
    """Two completions; the first has ratios 1.44 and 1.0, so 1.2 in all its tokens."""
    old = torch.tensor([-1.0, -1.0, -2.0])
    logprobs = (old + torch.tensor([1.44, 1.0, 0.5]).log()).requires_grad_()
    losses = policy_loss(
        logprobs,
        old,
        torch.tensor([1.0, -1.0]),
        of(ratio="sequence"),
        row_of_token=torch.tensor([0, 0, 1]),
    )
    assert losses.loss.tolist() == pytest.approx([-1.2, -1.2, 0.8])
    assert losses.clipped.tolist() == [False, False, True]
    # The mean over the completion's tokens: each moves the ratio by half of itself.
    losses.loss[:2].mean().backward()
    assert logprobs.grad.tolist() == pytest.approx([-0.6, -0.6, 0.0])


def test_a_correction_by_the_geometric_mean() -> None:
    logprobs = torch.zeros(2, requires_grad=True)
    mu = -torch.tensor([4.0, 1.0]).log()
    losses = policy_loss(
        logprobs,
        mu,
        torch.tensor([1.0]),
        corrected("sequence_mean", "truncate"),
        row_of_token=one(2),
    )
    assert losses.loss.tolist() == pytest.approx([-2.0, -2.0])
    assert not losses.corrected.any()


@pytest.mark.parametrize(
    ("kind", "loss", "gradient"),
    [
        pytest.param("k2", 0.5 * 0.3**2, 0.3, id="half the square"),
        pytest.param("k3", math.exp(-0.3) - 1 + 0.3, 1 - math.exp(-0.3), id="never negative"),
        pytest.param("k1", 0.3, 0.3, id="taken off the advantage"),
    ],
)
def test_the_price_of_leaving_the_reference(kind, loss, gradient) -> None:
    """The policy gives a token 0.3 nats more than the reference, and the advantage is zero."""
    reference = torch.tensor([-1.3])
    logprobs = torch.tensor([-1.0], requires_grad=True)
    losses = policy_loss(
        logprobs,
        logprobs.detach(),
        torch.tensor([0.0]),
        of(kl=KlTerm(coefficient=2.0, kind=kind)),
        row_of_token=one(1),
        reference_logprobs=reference,
    )
    assert losses.loss.item() == pytest.approx(2 * loss, abs=1e-6)
    losses.loss.sum().backward()
    assert logprobs.grad.item() == pytest.approx(2 * gradient, abs=1e-6)


def test_an_entropy_bonus() -> None:
    entropies = torch.tensor([1.5], requires_grad=True)
    losses = policy_loss(
        torch.zeros(1),
        torch.zeros(1),
        torch.tensor([0.0]),
        of(entropy_bonus=0.1),
        row_of_token=one(1),
        entropies=entropies,
    )
    assert losses.loss.item() == pytest.approx(-0.15)
    losses.loss.sum().backward()
    assert entropies.grad.item() == pytest.approx(-0.1)


def test_every_name_of_the_settings_has_a_function() -> None:
    fields = ObjectiveSection.model_fields
    assert set(get_args(fields["ratio"].annotation)) == set(RATIOS)
    assert set(get_args(fields["bound"].annotation)) == set(BOUNDS)
    assert set(get_args(KlSection.model_fields["kind"].annotation)) == {"k1", *KL_ESTIMATES}
