"""Work cut into items: nothing lost, nothing twice, the same cut whoever works on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.lengths import LengthHistory
from rlcs.rollout.work import Work
from rlcs.rollout.work_items import cut_work_items
from rlcs.types import Completion, Prompt

SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=90, max_answer_tokens=10)

requests_strategy = st.lists(
    st.tuples(st.integers(1, 50), st.integers(1, 4), st.one_of(st.none(), st.floats(0.0, 200.0))),
    max_size=30,
)


def make_requests(shapes: list[tuple[int, int, float | None]]) -> list[GroupRequest]:
    return [
        GroupRequest(
            prompt=Prompt(problem_id=f"p{index}", token_ids=[1] * length),
            seeds=tuple(range(num_seeds)),
            expected_tokens=expected,
        )
        for index, (length, num_seeds, expected) in enumerate(shapes)
    ]


@given(requests_strategy, st.integers(1, 5), st.one_of(st.none(), st.integers(1, 20)))
def test_every_completion_is_in_one_work_item(shapes, num_actors, rows_at_once) -> None:
    requests = make_requests(shapes)
    items = cut_work_items(requests, SAMPLING, num_actors=num_actors, rows_at_once=rows_at_once)
    rows = [row for item in items for rows in item.rows for row in rows]
    assert sorted(rows) == [
        (index, row) for index, request in enumerate(requests) for row in range(len(request.seeds))
    ]
    for item in items:
        assert item.requests
        for request, rows in zip(item.requests, item.rows, strict=True):
            assert {requests[index] for index, _ in rows} == {request}


# rows of each request, lengths to expect, actors, rows at once; ids of each item
CUTS = [
    pytest.param([2] * 4, [9, 1, 5, 3], 1, 8, ["p0 p2 p3 p1"], id="one actor, one batch"),
    pytest.param([2] * 4, [9, 1, 5, 3], 1, 4, ["p0 p2", "p3 p1"], id="one actor, two batches"),
    pytest.param([2] * 4, [9, 1, 5, 3], 2, 4, ["p0 p1", "p2 p3"], id="equal work for two"),
    pytest.param([2] * 4, [9, 1, 5, 3], 2, 2, ["p0", "p2", "p3", "p1"], id="longest first"),
    pytest.param([5, 5], [1, 1], 1, 2, ["p0", "p1"], id="groups stay whole"),
    pytest.param([2] * 3, [None] * 3, 2, 9, ["p0", "p1 p2"], id="unknown lengths: the prompts"),
]


@pytest.mark.parametrize(("rows", "expected", "actors", "at_once", "ids"), CUTS)
def test_cuts(rows, expected, actors, at_once, ids) -> None:
    lengths = [20, 10, 9, 8]
    requests = make_requests(list(zip(lengths, rows, expected, strict=False)))
    items = cut_work_items(requests, SAMPLING, num_actors=actors, rows_at_once=at_once)
    assert [" ".join(item.problem_ids) for item in items] == ids


@pytest.mark.parametrize(
    ("expected", "actors", "shares"),
    [
        pytest.param([9, 1, 5, 3], 2, ["p0", "p2 p3 p1"], id="equal work, the longest first"),
        pytest.param([9, 1, 5, 3], 1, ["p0 p2 p3 p1"], id="one actor"),
        pytest.param([None] * 4, 2, ["p0", "p1 p2 p3"], id="unknown lengths: the prompts"),
        pytest.param([1], 3, ["p0"], id="fewer groups than actors"),
    ],
)
def test_groups_are_dealt_to_engines_that_take_in_more(expected, actors, shares) -> None:
    lengths = [20, 10, 9, 8]
    requests = make_requests([(n, 2, mean) for n, mean in zip(lengths, expected, strict=False)])
    items = cut_work_items(requests, SAMPLING, num_actors=actors, rows_at_once=None)
    assert all(len(item.requests) == 1 and item.num_rows == 2 for item in items)
    dealt = [[item.problem_ids[0] for item in items if item.share == k] for k in range(actors)]
    assert [" ".join(names) for names in dealt if names] == shares


def test_expected_tokens_stay_within_the_budget() -> None:
    (item,) = cut_work_items(
        make_requests([(5, 2, None), (5, 3, 1000.0), (5, 1, 20.0)]),
        SAMPLING,
        num_actors=1,
        rows_at_once=99,
    )
    assert item.expected_tokens == 2 * 100 + 3 * 100 + 20
    assert item.problem_ids == ("p1", "p2", "p0")


def test_a_lost_work_item_is_handed_out_again_first_and_counted() -> None:
    work = Work(
        make_requests([(9, 2, None), (3, 2, None), (2, 1, None)]),
        SAMPLING,
        num_actors=2,
        rows_at_once=2,
    )
    first = work.waiting.take(0)
    assert work.take_back(first) == 1
    assert work.waiting.take(1) is first
    assert work.take_back(first) == 2
    assert not work.done


@pytest.fixture
def history() -> LengthHistory:
    history = LengthHistory()
    history.observe("a", "sums", [10, 20])
    history.observe("b", "products", [100, 300])
    return history


@pytest.mark.parametrize(
    ("problem", "category", "expected"),
    [
        pytest.param("a", "sums", 15.0, id="its own mean"),
        pytest.param("new", "products", 200.0, id="its category's mean"),
        pytest.param("new", "new", 0.9 * 15 + 0.1 * 200, id="the mean of all"),
    ],
)
def test_expected_lengths(history, problem, category, expected) -> None:
    assert history.expected(problem, category) == pytest.approx(expected)
    restored = LengthHistory(history.state())
    assert restored.expected(problem, category) == history.expected(problem, category)


def test_lengths_follow_the_policy(history) -> None:
    history.observe("a", "sums", [35])
    assert history.expected("a", "sums") == 25.0
    assert LengthHistory().expected("a", "sums") is None
    before = history.state()
    history.observe("a", "sums", [1000])
    assert before.problems["a"] == 25.0, "a saved state stays as it was"


def test_finishing_all_work_items_is_being_done(make_completion: Callable[..., Completion]) -> None:
    requests = make_requests([(9, 2, None), (3, 1, 50.0)])
    work = Work(requests, SAMPLING, num_actors=2, rows_at_once=2)
    items, answers = [], {}
    while item := work.waiting.take(0):
        items.append(item)
    for item in reversed(items):
        groups = [
            tuple(make_completion(problem_id=request.prompt.problem_id) for _ in request.seeds)
            for request in item.requests
        ]
        answers.update(zip(item.problem_ids, groups, strict=True))
        assert not work.done
        work.finish(item, groups)
    assert work.done
    whole = work.progress.split()
    assert whole[0] == whole[2]
    assert work.results() == [answers["p0"], answers["p1"]]
