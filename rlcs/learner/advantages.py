"""Group-relative advantages, and the samples the learner trains on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlcs.types import RolloutGroup, TrainingSample

EPSILON = 1e-6
"""Added to the standard deviation, as in GRPO."""


def group_advantages(rewards: np.ndarray, *, normalise: bool) -> np.ndarray:
    """Advantages [G] of a group's ``rewards`` [G]: each reward less the group's mean.

    ``normalise`` divides by the group's standard deviation (GRPO, arXiv 2402.03300, eq. 3);
    without it the mean alone is taken off (Dr. GRPO, arXiv 2503.20783). Rewards that are NaN,
    where our own verifier failed, stay NaN and do not enter mean or deviation.
    """
    graded = ~np.isnan(rewards)
    advantages = np.full(rewards.shape, np.nan)
    if not graded.any():
        return advantages
    centred = rewards[graded] - rewards[graded].mean()
    if normalise:
        centred = centred / (rewards[graded].std() + EPSILON)
    advantages[graded] = centred
    return advantages


def training_samples(groups: Sequence[RolloutGroup], *, normalise: bool) -> list[TrainingSample]:
    """The graded completions of ``groups``, each with its advantage."""
    return [
        TrainingSample(
            token_ids=np.concatenate([group.prompt.token_ids, completion.token_ids]),
            num_prompt_tokens=len(group.prompt.token_ids),
            old_logprobs=completion.logprobs,
            loss_mask=completion.loss_mask,
            advantage=float(advantage),
            images=group.prompt.images,
        )
        for group in groups
        for completion, advantage in zip(
            group.completions, group_advantages(group.rewards, normalise=normalise), strict=True
        )
        if not np.isnan(advantage) and completion.loss_mask.any()
    ]
