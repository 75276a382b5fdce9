"""Groups that are screened: a few completions first, the rest only where these disagree."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from curricula import Draw
from rewards import Outcome, Verdict
from rlcs.rollout.engine import GroupRequest
from rlcs.rollout.lengths import LengthHistory
from rlcs.training.groups import result_of, roll_out
from rlcs.types import Completion, FinishReason, Problem, Prompt

NAMES = ("always", "never", "sometimes", "broken")


class Pool:
    """Answers with the seed as text, and notes how many completions it was asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, int]] = []

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Any
    ) -> list[tuple[Completion, ...]]:
        self.asked.append({each.prompt.problem_id: len(each.seeds) for each in requests})
        return [
            tuple(answer(request.prompt.problem_id, seed) for seed in request.seeds)
            for request in requests
        ]


class Scorer:
    """Odd answers of `sometimes` pass; the verifier of `broken` fails each time."""

    def judge(self, problems: Any, groups: Any) -> list[tuple[Verdict, ...]]:
        return [
            tuple(verdict(problem.problem_id, completion.text) for completion in group)
            for problem, group in zip(problems, groups, strict=True)
        ]

    def passed(self, domain: str, verdict: Verdict) -> bool:
        return verdict.score >= 0.5


def verdict(name: str, text: str) -> Verdict:
    right = name == "always" or (name == "sometimes" and int(text) % 2 == 1)
    outcome = Outcome.CORRECT if right else Outcome.WRONG
    outcome = Outcome.TIMEOUT if name == "broken" else outcome
    return Verdict(outcome=outcome, score=float(right), extracted=text, detail="", seconds=0.0)


def answer(name: str, seed: int) -> Completion:
    return Completion(
        problem_id=name,
        token_ids=np.array([1, 2]),
        logprobs=np.zeros(2, dtype=np.float32),
        loss_mask=np.ones(2, dtype=bool),
        text=str(seed),
        finish_reason=FinishReason.STOP,
        policy_version=0,
    )


def problem(name: str) -> Problem:
    return Problem(
        problem_id=name, domain="math", category="c", messages=(), reference="1", question=""
    )


def prompts(problems: Sequence[Problem]) -> dict[str, Prompt]:
    names = (each.problem_id for each in problems)
    return {name: Prompt(problem_id=name, token_ids=np.array([1])) for name in names}


def groups(screening: int) -> tuple[dict[str, Any], Pool]:
    pool = Pool()
    data: Any = SimpleNamespace(
        problems=SimpleNamespace(find=lambda names: [problem(name) for name in names]),
        renderer=SimpleNamespace(render_all=prompts),
        scorer=Scorer(),
    )
    found = roll_out(
        [Draw(name, 0.5, "medium") for name in NAMES],
        data,
        pool,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        LengthHistory(),
        group_size=16,
        seed=0,
        step=1,
        screening=screening,
    )
    return {group.problem.problem_id: group for group in found}, pool


def test_only_groups_that_disagree_are_finished() -> None:
    found, pool = groups(screening=8)
    assert pool.asked == [dict.fromkeys(NAMES, 8), {"sometimes": 8}]
    results = [result_of(group, 1) for group in found.values()]
    assert [
        (each.passes, each.attempts, each.errors) for each in results if each.attempts < 16
    ] == [
        (8, 8, 0),
        (0, 8, 0),
        (0, 0, 8),
    ]
    assert [each.valid for each in results] == [False, False, True, False]
    assert len(found["sometimes"].rewards) == len(found["sometimes"].passed) == 16


def test_a_finished_group_is_the_one_that_would_have_come_at_once() -> None:
    screened, _ = groups(screening=8)
    whole, pool = groups(screening=0)
    assert pool.asked == [dict.fromkeys(NAMES, 16)]
    texts = [[each.text for each in found["sometimes"].completions] for found in (screened, whole)]
    assert texts[0] == texts[1]
    assert (screened["sometimes"].passed == whole["sometimes"].passed).all()


@pytest.mark.parametrize("screening", [16, 40])
def test_a_screen_of_the_whole_group_is_none(screening: int) -> None:
    found, pool = groups(screening)
    assert len(pool.asked) == 1
    assert {len(group.completions) for group in found.values()} == {16}
