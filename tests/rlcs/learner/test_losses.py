"""Token losses and their gradients against tables computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from rlcs.learner.losses import (
    PolicyObjective,
    completion_logprobs,
    imitation_loss,
    policy_loss,
)

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
    old = torch.tensor([[-1.5, -0.5]])
    logprobs = (old + torch.tensor([[math.log(ratio), 0.0]])).requires_grad_()
    losses = policy_loss(logprobs, old, torch.tensor([advantage]), OBJECTIVE)
    assert losses.loss.tolist()[0] == pytest.approx([loss, -advantage], abs=1e-6)
    losses.loss.sum().backward()
    assert logprobs.grad.tolist()[0] == pytest.approx([gradient, -advantage], abs=1e-6)
    assert losses.clipped.tolist() == [[clipped, False]]
    assert losses.log_ratio.tolist()[0] == pytest.approx([math.log(ratio), 0.0], abs=1e-6)
    assert not losses.log_ratio.requires_grad


def test_each_row_has_its_own_advantage() -> None:
    zeros = torch.zeros(3, 2)
    losses = policy_loss(zeros, zeros, torch.tensor([1.0, 0.0, -3.0]), OBJECTIVE)
    assert losses.loss.tolist() == [[-1, -1], [0, 0], [3, 3]]


def test_imitation_loss() -> None:
    logprobs = torch.tensor([[-0.5, -2.0]], requires_grad=True)
    losses = imitation_loss(logprobs)
    assert losses.loss.tolist() == [[0.5, 2.0]]
    losses.loss.sum().backward()
    assert logprobs.grad.tolist() == [[-1, -1]]
    assert not losses.clipped.any()
    assert not losses.log_ratio.any()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_completion_logprobs(temperature, dtype) -> None:
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    token_ids = torch.tensor([[0, 6, 3], [2, 2, 5]])
    found = completion_logprobs(logits, token_ids, temperature)
    assert found.dtype == torch.float32
    for row in range(2):
        for column in range(3):
            distribution = (logits[row, column].double() / temperature).softmax(-1)
            expected = distribution[token_ids[row, column]].log().item()
            assert found[row, column].item() == pytest.approx(expected, abs=1e-5)
