"""Drawn problems in, judged groups out: render, generate and score as one stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curricula import Draw, GroupResult
from rewards import Verdict
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.lengths import LengthHistory
from rlcs.rollout.pool import RolloutPool
from rlcs.scoring import rewards_of
from rlcs.seeds import derive_seed
from rlcs.training.data import TrainingData
from rlcs.types import Completion, Problem, RolloutGroup


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
    screening: int = 0,
) -> list[RolloutGroup]:
    """Generate and judge one group for each draw; they come in the order of the draws.

    ``lengths`` tells how long completions will be, and learns how long they were. With
    ``screening`` only so many completions of a group are generated at first, and the rest where
    these disagree: the other groups stay short. The completions are those that would have been
    generated at once, because each has its own seed.
    """
    problems = training_data.problems.find([draw.problem_id for draw in draws])
    rendered = training_data.renderer.render_all(problems)
    answers: list[tuple[Completion, ...]] = [()] * len(draws)
    verdicts: list[tuple[Verdict, ...]] = [()] * len(draws)
    rows = list(range(len(draws)))
    for numbers in _parts(group_size, screening):
        asked = [problems[row] for row in rows]
        requests = [
            GroupRequest(
                prompt=rendered[problem.problem_id],
                seeds=tuple(
                    derive_seed(seed, "rollout", step, problem.problem_id, index)
                    for index in numbers
                ),
                expected_tokens=lengths.expected(problem.problem_id, problem.category),
            )
            for problem in asked
        ]
        generated = rollouts.generate(requests, sampling) if rows else []
        for problem, group in zip(asked, generated, strict=True):
            lengths.observe(problem.problem_id, problem.category, [len(c.token_ids) for c in group])
        judged = training_data.scorer.judge(asked, generated) if rows else []
        for row, group, found in zip(rows, generated, judged, strict=True):
            answers[row] += tuple(group)
            verdicts[row] += found
        rows = [row for row in rows if _disagree(problems[row], verdicts[row], training_data)]
    return [
        RolloutGroup(
            problem=problem,
            prompt=rendered[draw.problem_id],
            draw_probability=draw.probability,
            tier=draw.tier,
            completions=group,
            verdicts=judged,
            rewards=rewards_of(judged),
            passed=np.array([training_data.scorer.passed(problem.domain, v) for v in judged]),
        )
        for draw, problem, group, judged in zip(draws, problems, answers, verdicts, strict=True)
    ]


def _parts(group_size: int, screening: int) -> list[range]:
    """The numbers of a group's completions that are generated at one time."""
    first = min(group_size, screening) if screening else group_size
    return [part for part in (range(first), range(first, group_size)) if part]


def _disagree(problem: Problem, verdicts: Sequence[Verdict], training_data: TrainingData) -> bool:
    """Whether of the completions that could be judged some passed and some did not."""
    judged = [verdict for verdict in verdicts if not verdict.ours_failed]
    return len({training_data.scorer.passed(problem.domain, verdict) for verdict in judged}) > 1


def result_of(group: RolloutGroup, step: int) -> GroupResult:
    """What the curriculum learns from a group: counts, our own failures apart."""
    attempts = int(group.graded.sum())
    return GroupResult(
        problem_id=group.problem.problem_id,
        step=step,
        passes=int(group.passed.sum()),
        attempts=attempts,
        errors=len(group.verdicts) - attempts,
        tokens=group.num_tokens,
    )
