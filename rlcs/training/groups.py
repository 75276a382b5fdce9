"""Drawn problems in, judged groups out: render, generate and score as one stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curricula import Draw, GroupResult
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.lengths import LengthHistory
from rlcs.rollout.pool import RolloutPool
from rlcs.scoring import rewards_of
from rlcs.seeds import derive_seed
from rlcs.training.data import TrainingData
from rlcs.types import RolloutGroup


def roll_out(
    draws: Sequence[Draw],
    training_data: TrainingData,
    rollouts: RolloutPool,
    sampling: Sampling,
    lengths: LengthHistory,
    *,
    group_size: int,
    seed: int,
    step: int,
) -> list[RolloutGroup]:
    """Generate and judge one group for each draw; they come in the order of the draws.

    ``lengths`` tells how long completions will be, and learns how long they were.
    """
    problems = [training_data.problems[draw.problem_id] for draw in draws]
    requests = [
        GroupRequest(
            prompt=training_data.prompts[draw.problem_id],
            seeds=tuple(
                derive_seed(seed, "rollout", step, draw.problem_id, index)
                for index in range(group_size)
            ),
            expected_tokens=lengths.expected(problem.problem_id, problem.category),
        )
        for draw, problem in zip(draws, problems, strict=True)
    ]
    completions = rollouts.generate(requests, sampling)
    for problem, group in zip(problems, completions, strict=True):
        lengths.observe(problem.problem_id, problem.category, [len(c.token_ids) for c in group])
    verdicts = training_data.scorer.judge(problems, completions)
    return [
        RolloutGroup(
            problem=problem,
            prompt=request.prompt,
            draw_probability=draw.probability,
            tier=draw.tier,
            completions=answers,
            verdicts=judged,
            rewards=rewards_of(judged),
            passed=np.array([training_data.scorer.passed(problem.domain, v) for v in judged]),
        )
        for draw, problem, request, answers, judged in zip(
            draws, problems, requests, completions, verdicts, strict=True
        )
    ]


def result_of(group: RolloutGroup, step: int) -> GroupResult:
    """What the curriculum learns from a group: counts, our own failures apart."""
    attempts = int(group.graded.sum())
    return GroupResult(
        problem_id=group.problem.problem_id,
        step=step,
        passes=int(group.passed.sum()),
        attempts=attempts,
        errors=len(group.verdicts) - attempts,
    )
