"""How long an actor may take for a work item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rlcs.config import FaultsSection
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.timing import SLOWEST, Pace
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Prompt

GRACE_SECONDS = 12.0
LIMITS = FaultsSection(grace_seconds=GRACE_SECONDS, min_tokens_per_second=10.0)
REQUEST = GroupRequest(
    prompt=Prompt(problem_id="p", token_ids=np.arange(3)), seeds=(1, 2), expected_tokens=500.0
)
ITEM = WorkItem(
    requests=(REQUEST,),
    rows=(((0, 0), (0, 1)),),
    sampling=Sampling(temperature=1.0, max_thinking_tokens=900, max_answer_tokens=100),
)


def test_a_row_may_take_its_whole_budget() -> None:
    long = replace(ITEM, sampling=replace(ITEM.sampling, max_thinking_tokens=30_000))
    assert Pace(LIMITS).allowed_seconds([ITEM, long]) > GRACE_SECONDS + 3000


def test_actors_are_measured_by_those_before_them() -> None:
    pace = Pace(LIMITS)
    assert pace.allowed_seconds([ITEM]) == GRACE_SECONDS + 1000 / 10 + 2 * 500 / 10
    pace.note(500, 0.5)
    expected = GRACE_SECONDS + 1000 / 10 + 2 * 500 / (1000 / SLOWEST)
    assert pace.allowed_seconds([ITEM]) == pytest.approx(expected)


def test_all_that_an_actor_holds_counts_and_the_longest_row_once() -> None:
    expected = GRACE_SECONDS + 1000 / 10 + 3 * (2 * 500 / 10)
    assert Pace(LIMITS).allowed_seconds([ITEM] * 3) == expected
