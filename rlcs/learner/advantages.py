"""Group-relative advantages, and the samples the learner trains on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rlcs.config import ObjectiveSection
from rlcs.types import FinishReason, RolloutGroup, TrainingSample

EPSILON = 1e-6
"""Added to the standard deviation, as in GRPO."""


def group_advantages(rewards: np.ndarray, *, normalise: bool, baseline: str = "mean") -> np.ndarray:
    """Advantages [G] of a group's ``rewards`` [G]: each reward less the group's mean.

    With the ``baseline`` ``leave_one_out`` it is the mean of the others (RLOO, arXiv 2402.14740),
    which is the same times G / (G - 1). ``normalise`` divides by the group's standard deviation
    (GRPO, arXiv 2402.03300, eq. 3); without it the mean alone is taken off (Dr. GRPO, arXiv
    2503.20783). Rewards that are NaN, where our own verifier failed, stay NaN and do not enter
    mean or deviation.
    """
    graded = ~np.isnan(rewards)
    advantages = np.full(rewards.shape, np.nan)
    number = int(graded.sum())
    if not number:
        return advantages
    centred = rewards[graded] - rewards[graded].mean()
    if baseline == "leave_one_out" and number > 1:
        centred = centred * number / (number - 1)
    if normalise:
        centred = centred / (rewards[graded].std() + EPSILON)
    advantages[graded] = centred
    return advantages


def training_samples(
    groups: Sequence[RolloutGroup], objective: ObjectiveSection, *, token_budget: int
) -> list[TrainingSample]:
    """The graded completions of ``groups``, each with its advantage.

    ``token_budget`` is the most tokens that a completion may have. Completions that ran out of it
    are left out where ``objective`` masks them, after they counted in their group's baseline (DAPO,
    arXiv 2503.14476, section 3.4).
    """
    samples = []
    for group in groups:
        rewards = group.rewards
        if objective.overlong == "soft":
            rewards = rewards - _length_prices(group, objective.overlong_share, token_budget)
        advantages = group_advantages(
            rewards,
            normalise=objective.normalise_advantages is True,
            baseline=objective.baseline,
        )
        for completion, advantage in zip(group.completions, advantages, strict=True):
            ran_out = completion.finish_reason is FinishReason.LENGTH
            masked = objective.overlong == "mask" and ran_out
            if np.isnan(advantage) or masked or not completion.loss_mask.any():
                continue
            samples.append(
                TrainingSample(
                    token_ids=np.concatenate([group.prompt.token_ids, completion.token_ids]),
                    num_prompt_tokens=len(group.prompt.token_ids),
                    old_logprobs=completion.logprobs,
                    loss_mask=completion.loss_mask,
                    advantage=float(advantage),
                    images=group.prompt.images,
                )
            )
    return _normalised(samples) if objective.normalise_advantages == "batch" else samples


def _length_prices(group: RolloutGroup, share: float, token_budget: int) -> np.ndarray:
    """[G] from 0, where the last ``share`` of the budget begins, to 1 at its end (DAPO, eq. 13)."""
    lengths = np.array([len(completion.token_ids) for completion in group.completions])
    start = (1 - share) * token_budget
    return np.clip((lengths - start) / (share * token_budget), 0.0, 1.0)


def _normalised(samples: Sequence[TrainingSample]) -> list[TrainingSample]:
    """``samples`` with advantages divided by their deviation over the batch (REINFORCE++ with a
    baseline, arXiv 2501.03262)."""
    deviation = np.std([sample.advantage for sample in samples]) if samples else 0.0
    return [
        dataclasses.replace(sample, advantage=float(sample.advantage / (deviation + EPSILON)))
        for sample in samples
    ]
