"""Completions in segments: the budgets of a whole one, every token with its own version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.engines.transformers.engine import TransformersEngine
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.work import Work
from rlcs.types import Completion, FinishReason

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=20, max_answer_tokens=5, force_answer="</think><answer>"
)


@pytest.fixture(scope="module")
def segmenter(engine: TransformersEngine) -> Segmenter:
    return Segmenter(
        num_tokens=6, decode=lambda ids: engine.tokenizer.decode(ids, skip_special_tokens=False)
    )


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    return [make_request(problem, 3 + problem, (problem, 9, 11)) for problem in range(6)]


@pytest.fixture(scope="module")
def joined(engine, segmenter, requests) -> list[tuple[Completion, ...]]:
    """Completions in segments, each work item under a version of its own."""
    work = Work(requests, SAMPLING, num_actors=2, rows_at_once=8, segmenter=segmenter)
    version = 0
    while not work.done:
        item, version = work.waiting.take(0), version + 1
        groups = engine.generate(item.requests, item.sampling)
        work.finish(
            item,
            [tuple(replace(one, policy_version=version) for one in group) for group in groups],
        )
    return work.results()


BUDGETS = [
    pytest.param(0, False, 6, 0, False, id="the first segment"),
    pytest.param(12, False, 6, 0, False, id="open, more thinking to come"),
    pytest.param(14, False, 6, 5, True, id="open, the rest of the thinking with the answer"),
    pytest.param(18, False, 2, 5, True, id="open, the end of the thinking"),
    pytest.param(18, True, 6, 0, False, id="closed, more of the answer to come"),
    pytest.param(20, True, 5, 0, True, id="closed, the rest"),
]


@pytest.mark.parametrize(("sampled", "closed", "thinking", "answer", "last"), BUDGETS)
def test_budgets(segmenter, sampled, closed, thinking, answer, last) -> None:
    budget, is_last = segmenter.budget(SAMPLING, sampled=sampled, closed=closed)
    assert (budget.max_thinking_tokens, budget.max_answer_tokens) == (thinking, answer)
    assert is_last is last
    assert (budget.force_answer is not None) == (last and not closed)


def test_a_joined_completion_is_whole(joined, segmenter, requests, engine) -> None:
    completions = [completion for group in joined for completion in group]
    assert [c.problem_id for c in completions] == [
        request.prompt.problem_id for request in requests for _ in request.seeds
    ]
    assert any(completion.segments for completion in completions)
    assert any(completion.forced for completion in completions)
    num_forced = len(engine.tokenizer.encode(SAMPLING.force_answer, add_special_tokens=False))
    for one in completions:
        length = len(one.token_ids)
        assert len(one.logprobs) == len(one.loss_mask) == len(one.token_versions) == length
        assert int(one.loss_mask.sum()) <= SAMPLING.max_sampled_tokens
        assert one.loss_mask.size - one.loss_mask.sum() in (0, num_forced)
        stopped = one.finish_reason is FinishReason.STOP
        assert one.text == segmenter.decode(one.token_ids[: length - stopped])
        if not stopped:
            assert int(one.loss_mask.sum()) == SAMPLING.max_sampled_tokens
        assert one.policy_version == one.token_versions[0]
        assert (np.diff(one.token_versions) >= 0).all()


def test_log_probabilities_are_those_of_the_whole(
    joined, requests, reference_model, full_logprobs
) -> None:
    """Every segment was drawn given all before it."""
    for request, group in zip(requests, joined, strict=True):
        for one in group:
            whole = full_logprobs(reference_model, request.prompt, one)
            np.testing.assert_allclose(one.logprobs[one.loss_mask], whole[one.loss_mask], atol=2e-5)


def test_one_segment_is_the_completion_itself(segmenter, engine, requests) -> None:
    ((one, *_), *_) = engine.generate(requests[:1], SAMPLING)
    assert segmenter.join([one]) is one
    assert one.segments == ()
    assert set(one.token_versions) == {one.policy_version}
