"""Who gets which work item."""

from __future__ import annotations

import pytest

from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.waiting import Waiting
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Prompt

SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=9, max_answer_tokens=1)


def item(name: str, share: int | None = None) -> WorkItem:
    request = GroupRequest(prompt=Prompt(problem_id=name, token_ids=[1]), seeds=(1,))
    return WorkItem(requests=(request,), rows=(((0, 0),),), sampling=SAMPLING, share=share)


A, B, C, D = item("a", 0), item("b", 0), item("c", 1), item("d", 0)


def test_an_actor_gets_what_was_dealt_to_it() -> None:
    waiting = Waiting([A, B, C])
    assert waiting.take(1) is C
    assert waiting.take(1) is None
    assert [waiting.take(0), waiting.take(0), waiting.take(0)] == [A, B, None]


def test_work_is_taken_over_from_who_has_most() -> None:
    waiting = Waiting([A, B, C])
    assert waiting.has_for(2)
    assert waiting.take(2) is None
    assert [waiting.take_over() for _ in range(4)] == [A, B, C, None]
    assert not waiting.has_for(2)


def test_shares_are_kept_where_batches_are_to_repeat() -> None:
    waiting = Waiting([A, C], keep_shares=True)
    assert waiting.take_over() is None
    assert [waiting.has_for(actor) for actor in range(3)] == [True, True, False]
    waiting.keep_shares = False
    assert waiting.has_for(2)


@pytest.mark.parametrize("actor", [0, 1, 2])
def test_what_anyone_may_have_comes_first(actor) -> None:
    free = item("free")
    assert Waiting([A, C, free], keep_shares=True).take(actor) is free
    waiting = Waiting([A, C], keep_shares=True)
    waiting.give_to_anyone(D)
    assert waiting.take(actor) is D, "also when it was dealt to another before"


def test_continuations_come_first_where_they_were_begun() -> None:
    waiting = Waiting([A, C])
    waiting.put_first([B, D])
    assert [waiting.take(0) for _ in range(3)] == [B, D, A]
    assert waiting.take(1) is C
