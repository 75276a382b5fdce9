"""Drawn problems in, judged groups out: render, generate and score as one stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curricula import Draw, GroupResult
from rlcs.rollout.actors import RolloutPool
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.scoring import rewards_of
from rlcs.seeds import derive_seed
from rlcs.training.parts import Material
from rlcs.types import RolloutGroup


def roll_out(
    draws: Sequence[Draw],
    material: Material,
    rollouts: RolloutPool,
    sampling: Sampling,
    *,
    group_size: int,
    seed: int,
    step: int,
) -> list[RolloutGroup]:
    """One judged group for each draw, in the order of the draws."""
    requests = [
        GroupRequest(
            prompt=material.prompts[draw.problem_id],
            seeds=tuple(
                derive_seed(seed, "rollout", step, draw.problem_id, index)
                for index in range(group_size)
            ),
        )
        for draw in draws
    ]
    completions = rollouts.generate(requests, sampling)
    problems = [material.problems[draw.problem_id] for draw in draws]
    verdicts = material.scorer.judge(problems, completions)
    return [
        RolloutGroup(
            problem=problem,
            prompt=request.prompt,
            draw_probability=draw.probability,
            tier=draw.tier,
            completions=answers,
            verdicts=judged,
            rewards=rewards_of(judged),
            passed=np.array([material.scorer.passed(problem.domain, v) for v in judged]),
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
