"""Rollout groups for tests of what a run writes and sends."""

from __future__ import annotations

import numpy as np

from rewards import Outcome, Verdict
from rlcs.types import Completion, FinishReason, Problem, Prompt, RolloutGroup


def make_group(
    problem_id: str = "a",
    outcomes: str = "cwe",
    category: str = "sums",
    finish: FinishReason = FinishReason.STOP,
) -> RolloutGroup:
    """A group with a completion for each letter: correct, wrong, our error."""
    meaning = {"c": Outcome.CORRECT, "w": Outcome.WRONG, "e": Outcome.ERROR}
    verdicts = tuple(
        Verdict(
            outcome=meaning[letter], score=float(letter == "c"), extracted="2", detail="", seconds=0
        )
        for letter in outcomes
    )
    completions = tuple(
        Completion(
            problem_id=problem_id,
            token_ids=np.arange(3),
            logprobs=np.array([-1.0, -2.0, 0.0], dtype=np.float32),
            loss_mask=np.array([True, True, finish is FinishReason.STOP]),
            text="<answer>\n2 \u2028 é",
            finish_reason=finish,
            policy_version=0,
        )
        for _ in outcomes
    )
    return RolloutGroup(
        problem=Problem(
            problem_id=problem_id,
            domain="math",
            category=category,
            messages=({"role": "user", "content": "Calculate."},),
            reference="2",
            question="Calculate.",
        ),
        prompt=Prompt(problem_id=problem_id, token_ids=np.arange(5)),
        draw_probability=0.25,
        tier="medium",
        completions=completions,
        verdicts=verdicts,
        rewards=np.array([np.nan if v.ours_failed else v.score for v in verdicts]),
        passed=np.array([v.outcome is Outcome.CORRECT for v in verdicts]),
    )
