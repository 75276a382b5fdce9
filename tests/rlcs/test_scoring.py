"""Completions to verdicts and rewards; our own failures never look like wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rewards import Outcome, Verdict
from rewards.verdict import OUR_FAILURES
from rlcs.config import ScoringSection
from rlcs.errors import ConfigError
from rlcs.scoring import Scorer, reward_of, rewards_of
from rlcs.types import Completion, FinishReason, Problem

BY_LENGTH = "scoring_user_verifiers:by_length"


def problem(domain: str, reference: Any = 2) -> Problem:
    return Problem(
        problem_id="p",
        domain=domain,
        category="c",
        messages=({"role": "user", "content": "1 + 1?"},),
        reference=reference,
        question="1 + 1?",
    )


def completion(text: str) -> Completion:
    return Completion(
        problem_id="p",
        token_ids=np.array([1]),
        logprobs=np.zeros(1, dtype=np.float32),
        loss_mask=np.ones(1, dtype=bool),
        text=text,
        finish_reason=FinishReason.STOP,
        policy_version=0,
    )


def answer(result: object) -> Completion:
    return completion(f"<think>hm</think><answer><|begin_of_box|>{result}<|end_of_box|></answer>")


def verdict(outcome: Outcome, score: float) -> Verdict:
    return Verdict(outcome=outcome, score=score, extracted=None, detail="", seconds=0.0)


@pytest.fixture
def make_scorer() -> Iterator[Callable[..., Scorer]]:
    """Makes scorers and closes them."""
    scorers = []

    def make(**domains: dict[str, Any]) -> Scorer:
        section = ScoringSection.model_validate({"domains": domains, "deadline_seconds": 1.0})
        scorers.append(Scorer(section))
        return scorers[-1]

    yield make
    for scorer in scorers:
        scorer.close()


@pytest.mark.parametrize("outcome", list(Outcome))
def test_our_failures_have_no_reward(outcome: Outcome, make_scorer) -> None:
    scorer = make_scorer(math={"pass_mark": 0.0})
    judged = verdict(outcome, 1.0)
    if outcome in OUR_FAILURES:
        assert np.isnan(reward_of(judged))
        assert not scorer.passed("math", judged), "not even with a pass mark of zero"
    else:
        assert reward_of(judged) == 1.0
        assert scorer.passed("math", judged)


def test_rewards_of() -> None:
    judged = [verdict(Outcome.PARTIAL, 0.5), verdict(Outcome.TIMEOUT, 0.0)]
    rewards = rewards_of(judged)
    assert rewards.dtype == np.float64
    assert rewards.tolist() == pytest.approx([0.5, float("nan")], nan_ok=True)
    assert rewards_of([]).shape == (0,)


def test_groups_keep_their_order(make_scorer) -> None:
    scorer = make_scorer()
    problems = [problem("math", 2), problem("math", "7"), problem("math", 5)]
    groups = [[answer(2), answer(3)], [], [answer(5), completion("no idea"), answer("5.0")]]
    verdicts = scorer.judge(problems, groups)
    assert [len(group) for group in verdicts] == [2, 0, 3]
    assert [[scorer.passed("math", v) for v in group] for group in verdicts] == [
        [True, False],
        [],
        [True, False, True],
    ]
    assert verdicts[2][1].outcome is Outcome.NO_ANSWER
    assert rewards_of(verdicts[0]).tolist() == [1, 0]


def test_a_reference_that_cannot_be_read_is_our_failure(make_scorer) -> None:
    ((judged,),) = make_scorer().judge([problem("math", {"no": "number"})], [[answer(2)]])
    assert judged.outcome in OUR_FAILURES


@pytest.mark.parametrize(
    ("pass_mark", "score", "passes"),
    [
        pytest.param(None, 1.0, True, id="the domain's own mark is reached"),
        pytest.param(None, 0.5, False, id="the domain's own mark is not reached"),
        pytest.param(0.5, 0.5, True, id="reaching the mark is passing"),
        pytest.param(0.5, 0.49, False, id="under the mark"),
        pytest.param(0.0, 0.0, True, id="everything passes"),
        pytest.param(0.3, 0.3 - 1e-16, True, id="rounding does not fail an answer"),
    ],
)
def test_pass_mark(pass_mark, score, passes, make_scorer) -> None:
    scorer = make_scorer(**({} if pass_mark is None else {"math": {"pass_mark": pass_mark}}))
    assert scorer.passed("math", verdict(Outcome.PARTIAL, score)) is passes


def test_a_users_verifier_and_its_faults(make_scorer) -> None:
    """One that hangs, one that ends its process, one that raises: the others are judged."""
    scorer = make_scorer(length={"verifier": BY_LENGTH, "pass_mark": 0.4})
    texts = ["four", "hang", "0123456789", "crash", "raise", "abc"]
    (judged,) = scorer.judge([problem("length")], [[completion(text) for text in texts]])
    outcomes = [one.outcome for one in judged]
    assert outcomes == [
        Outcome.PARTIAL,
        Outcome.TIMEOUT,
        Outcome.CORRECT,
        Outcome.ERROR,
        Outcome.ERROR,
        Outcome.PARTIAL,
    ]
    nan = float("nan")
    expected = [0.4, nan, 1.0, nan, nan, 0.3]
    assert rewards_of(judged).tolist() == pytest.approx(expected, nan_ok=True)
    assert [scorer.passed("length", one) for one in judged] == [
        True,
        False,
        True,
        False,
        False,
        False,
    ]
    assert "a fault in the user's code" in judged[4].detail


@pytest.mark.parametrize(
    ("domains", "message"),
    [
        pytest.param(
            {"maths": {"pass_mark": 1.0}}, "maths is not a known domain.*Known are", id="misspelt"
        ),
        pytest.param({"own": {"verifier": "no_such_module:f"}}, "no_such_module", id="no module"),
        pytest.param({"own": {"verifier": "json:no_such"}}, "no_such", id="no function"),
        pytest.param({"own": {"verifier": "json"}}, "module:function", id="no function named"),
    ],
)
def test_bad_settings_are_refused_at_the_start(domains, message, make_scorer) -> None:
    with pytest.raises(ConfigError, match=message):
        make_scorer(**domains)


def test_where_the_answer_stands_is_a_setting_of_the_run() -> None:
    section = ScoringSection.model_validate({"extraction": {"rule": "marker", "markers": ["####"]}})
    scorer = Scorer(section)
    try:
        judged = scorer.judge([problem("math")], [[completion("1 + 1\n#### 2"), answer(2)]])
    finally:
        scorer.close()
    assert [each.outcome for each in judged[0]] == [Outcome.CORRECT, Outcome.NO_ANSWER]


def test_extraction_that_does_not_fit_is_refused_by_the_configuration() -> None:
    with pytest.raises(ValueError, match="pattern: expected a regular expression, found"):
        ScoringSection.model_validate({"extraction": {"rule": "pattern", "pattern": "("}})
