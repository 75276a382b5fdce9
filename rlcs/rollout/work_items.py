"""A step's work as items that are handed out one by one, the longest first.

Where the work is cut depends on the requests alone, never on which actor is free.

An engine that samples one batch after the other (``transformers``) gets a batch an item. The work
is cut in rounds: in each, every actor gets an item of as many rows as its engine holds at once, and
all items of a round are of equal expected work. The longest completions come first, so that the
last rounds, which decide how long actors wait for one another, are short. Items are not smaller
than that: an engine takes as long as the longest row of its batch, so that several half-empty
batches take several times as long as a full one (measured: two thirds longer with three small
rounds in place of one). A batch is computed the same wherever it runs, so that a resumed or a
disturbed run samples the same tokens; only who gets an item is decided while the work goes on.

An engine that takes in new work while it samples (``vllm``) gets the groups one by one, each as an
item, and is never left half empty. Each group is dealt to an actor beforehand, so that all have
equal expected work; ``Waiting`` says when another may have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rlcs.rollout.engine import GroupRequest, Sampling

Row: TypeAlias = tuple[int, int]
"""A completion of a call: the index of its request, and of its seed within that."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WorkItem:
    """Requests that one actor answers in one call."""

    requests: tuple[GroupRequest, ...]
    """[N]"""
    rows: tuple[tuple[Row, ...], ...]
    """[N][G], which completion each seed of each request makes."""
    sampling: Sampling
    last: bool = True
    """Whether completions that reach the budget of ``sampling`` have ended."""
    share: int | None = None
    """The actor that the item was dealt to, None where any may have it."""

    @property
    def num_rows(self) -> int:
        """Completions that it asks for."""
        return sum(len(request.seeds) for request in self.requests)

    @property
    def problem_ids(self) -> tuple[str, ...]:
        """Each problem once, in the order of the requests."""
        return tuple(dict.fromkeys(request.prompt.problem_id for request in self.requests))

    @property
    def expected_tokens(self) -> float:
        """Tokens that will be sampled, as far as is known; the budget where nothing is known."""
        budget = self.sampling.max_sampled_tokens
        return sum(
            len(request.seeds) * min(budget, request.expected_tokens or budget)
            for request in self.requests
        )


def cut_work_items(
    requests: Sequence[GroupRequest],
    sampling: Sampling,
    *,
    num_actors: int,
    rows_at_once: int | None,
    last: bool = True,
) -> list[WorkItem]:
    """Work items for ``num_actors`` actors, in the order in which they are handed out.

    ``rows_at_once`` is the number of completions in a batch of an engine; None where engines take
    in work while they sample: then every group is an item, dealt to an actor.
    """
    order = sorted(
        range(len(requests)), key=lambda index: (*_longest_first(requests[index]), index)
    )
    costs = [_cost(request) for request in requests]
    num_rows = [len(request.seeds) for request in requests]
    if rows_at_once is None:
        shares = _deal(order, costs, num_rows, num_shares=num_actors, rows_at_once=sum(num_rows))
        return [
            replace(_work_item([index], requests, sampling, last), share=share)
            for share, chosen in enumerate(shares)
            for index in chosen
        ]
    return [
        _work_item(chosen, requests, sampling, last)
        for part in _rounds(order, num_rows, num_actors * rows_at_once)
        for chosen in _deal(part, costs, num_rows, num_shares=num_actors, rows_at_once=rows_at_once)
    ]


def _rounds(order: Sequence[int], num_rows: Sequence[int], limit: int) -> list[list[int]]:
    """``order`` in consecutive parts of at most ``limit`` rows, but one request at least."""
    rounds: list[list[int]] = []
    room = 0
    for index in order:
        if not rounds or num_rows[index] > room:
            rounds.append([])
            room = limit
        rounds[-1].append(index)
        room -= num_rows[index]
    return rounds


def _deal(
    order: Sequence[int],
    costs: Sequence[float],
    num_rows: Sequence[int],
    *,
    num_shares: int,
    rows_at_once: int,
) -> list[list[int]]:
    """Deal each request to the share with the least work so far that has room for its rows."""
    shares: list[list[int]] = [[] for _ in range(num_shares)]
    loads, rooms = [0.0] * num_shares, [rows_at_once] * num_shares
    for index in order:
        full = [room < num_rows[index] for room in rooms]
        *_, share = min(zip(full, loads, range(num_shares), strict=True))
        shares[share].append(index)
        loads[share] += costs[index]
        rooms[share] -= num_rows[index]
    return [share for share in shares if share]


def _work_item(
    chosen: Sequence[int], requests: Sequence[GroupRequest], sampling: Sampling, last: bool
) -> WorkItem:
    return WorkItem(
        requests=tuple(requests[index] for index in chosen),
        rows=tuple(
            tuple((index, row) for row in range(len(requests[index].seeds))) for index in chosen
        ),
        sampling=sampling,
        last=last,
    )


def _longest_first(request: GroupRequest) -> tuple[float, float]:
    return -(request.expected_tokens or 0.0), -len(request.prompt.token_ids)


def _cost(request: GroupRequest) -> float:
    """Tokens that are read for a request, and those that are expected to be sampled."""
    return len(request.seeds) * (request.expected_tokens or 0.0) + len(request.prompt.token_ids)
