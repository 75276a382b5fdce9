"""Advantages against tables computed by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards import Outcome, Verdict
from rlcs.config import ObjectiveSection
from rlcs.learner.advantages import group_advantages, training_samples
from rlcs.types import Completion, FinishReason, Problem, Prompt, RolloutGroup

NAN = float("nan")
VERDICT = Verdict(outcome=Outcome.WRONG, score=0.0, extracted=None, detail="", seconds=0.0)

TABLE = [
    pytest.param([1, 0], [0.5, -0.5], [1, -1], id="one of two"),
    pytest.param([1, 0, 0, 0], [0.75, -0.25, -0.25, -0.25], [3**0.5, *[-(3**-0.5)] * 3], id="rare"),
    pytest.param([1, 1, 1], [0, 0, 0], [0, 0, 0], id="no spread, no advantage"),
    pytest.param([0.1, 0.1, 0.1], [0, 0, 0], [0, 0, 0], id="no spread beside rounding"),
    pytest.param([1, NAN, 0], [0.5, NAN, -0.5], [1, NAN, -1], id="our failure is left out"),
    pytest.param([NAN, NAN], [NAN, NAN], [NAN, NAN], id="nothing graded"),
    pytest.param([1, NAN], [0, NAN], [0, NAN], id="one graded alone says nothing"),
    pytest.param([0.25, 0.5, 1], [-1 / 3, -1 / 12, 5 / 12], None, id="partial scores"),
    pytest.param([], [], [], id="nobody"),
]


@pytest.mark.parametrize(("rewards", "centred", "normalised"), TABLE)
def test_group_advantages(rewards, centred, normalised) -> None:
    array = np.array(rewards, dtype=np.float64)
    np.testing.assert_allclose(group_advantages(array, normalise=False), centred, atol=1e-12)
    if normalised is None:
        normalised = np.array(centred) / np.std(rewards)
    found = group_advantages(array, normalise=True)
    np.testing.assert_allclose(found, normalised, rtol=1e-5, atol=1e-9)
    assert array.tolist() == pytest.approx(rewards, nan_ok=True), "the rewards stay as they were"


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, NAN]), min_size=1), st.booleans())
def test_advantages_sum_to_zero_and_keep_the_order(rewards: list[float], normalise: bool) -> None:
    array = np.array(rewards)
    advantages = group_advantages(array, normalise=normalise)
    graded = ~np.isnan(array)
    assert (np.isnan(advantages) == np.isnan(array)).all()
    assert advantages[graded].sum() == pytest.approx(0, abs=1e-6)
    higher = array[graded][:, None] > array[graded][None]
    assert (advantages[graded][:, None] > advantages[graded][None])[higher].all()


def completion(token_ids: list[int], loss_mask: list[bool]) -> Completion:
    return Completion(
        problem_id="p",
        token_ids=np.array(token_ids),
        logprobs=np.full(len(token_ids), -1.0, dtype=np.float32),
        loss_mask=np.array(loss_mask),
        text="",
        finish_reason=FinishReason.STOP,
        policy_version=0,
    )


def test_training_samples_are_the_graded_completions() -> None:
    completions = (
        completion([5, 6, 1], [True, True, True]),
        completion([7, 8], [True, True]),
        completion([9], [False]),
        completion([4, 3], [True, False]),
    )
    group = RolloutGroup(
        problem=Problem(
            problem_id="p", domain="math", category="c", messages=(), reference=1, question=""
        ),
        prompt=Prompt(problem_id="p", token_ids=np.array([1, 2])),
        draw_probability=0.5,
        tier="t",
        completions=completions,
        verdicts=(VERDICT,) * 4,
        rewards=np.array([1.0, NAN, 0.0, 0.0]),
        passed=np.array([True, False, False, False]),
    )
    assert group.num_tokens == 8
    assert group.graded.tolist() == [True, False, True, True]
    plain = ObjectiveSection(normalise_advantages=False)
    samples = training_samples([group, group], plain, token_budget=10)
    assert [sample.token_ids.tolist() for sample in samples] == [[1, 2, 5, 6, 1], [1, 2, 4, 3]] * 2
    assert [sample.num_prompt_tokens for sample in samples] == [2] * 4
    assert [sample.num_loss_tokens for sample in samples] == [3, 1] * 2
    assert [sample.advantage for sample in samples] == pytest.approx([2 / 3, -1 / 3] * 2)
    assert group.rewards.tolist() == pytest.approx([1, NAN, 0, 0], nan_ok=True)


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        pytest.param([1, 0], [1, -1], id="the other one"),
        pytest.param([1, 0, 0, NAN], [1, -0.5, -0.5, NAN], id="our failure is left out"),
        pytest.param([1, NAN], [0, NAN], id="nobody to compare with"),
    ],
)
def test_leave_one_out(rewards, expected) -> None:
    array = np.array(rewards, dtype=np.float64)
    found = group_advantages(array, normalise=False, baseline="leave_one_out")
    np.testing.assert_allclose(found, expected, atol=1e-12)


def group_of(rewards: list[float], lengths: list[int], reasons: list[FinishReason]) -> RolloutGroup:
    completions = tuple(
        dataclasses.replace(completion([5] * length, [True] * length), finish_reason=reason)
        for length, reason in zip(lengths, reasons, strict=True)
    )
    return RolloutGroup(
        problem=Problem(
            problem_id="p", domain="math", category="c", messages=(), reference=1, question=""
        ),
        prompt=Prompt(problem_id="p", token_ids=np.array([1, 2])),
        draw_probability=0.5,
        tier="t",
        completions=completions,
        verdicts=(VERDICT,) * len(rewards),
        rewards=np.array(rewards),
        passed=np.array(rewards) > 0,
    )


STOP, LENGTH = FinishReason.STOP, FinishReason.LENGTH


@pytest.mark.parametrize(
    ("overlong", "expected"),
    [
        pytest.param("keep", [0.5, -0.5, 0.5, -0.5], id="like others"),
        pytest.param("mask", [0.5, -0.5, 0.5], id="not learned from, and in the baseline"),
        # Rewards 1, 0, 1 - 0.5, 0 - 1: half of the last fifth of 20 tokens, and all of it.
        pytest.param("soft", [0.875, -0.125, 0.375, -1.125], id="dearer near the end"),
    ],
)
def test_overlong_completions(overlong, expected) -> None:
    group = group_of([1, 0, 1, 0], [5, 16, 18, 20], [STOP, STOP, STOP, LENGTH])
    objective = ObjectiveSection(overlong=overlong, normalise_advantages=False)
    samples = training_samples([group], objective, token_budget=20)
    assert [sample.advantage for sample in samples] == pytest.approx(expected)
    assert group.rewards.tolist() == [1, 0, 1, 0], "the rewards stay as they were"


def test_normalised_over_the_batch() -> None:
    groups = [
        group_of([1, 0], [3, 3], [STOP, STOP]),
        group_of([0.25, 0], [3, 3], [STOP, STOP]),
    ]
    objective = ObjectiveSection(normalise_advantages="batch")
    samples = training_samples(groups, objective, token_budget=9)
    advantages = np.array([sample.advantage for sample in samples])
    assert advantages.std() == pytest.approx(1, rel=1e-4)
    assert advantages[0] / advantages[2] == pytest.approx(4)
