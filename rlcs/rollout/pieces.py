"""A step's work in pieces that are handed out one by one, the longest first.

Where a piece is cut depends on the requests alone, never on which actor is free: a batch is
computed the same wherever it runs, so that a resumed or a disturbed run draws the same tokens.
Only who gets a piece is decided while the work goes on.

The work is cut in rounds (factoring, Hummel, Schonberg and Flynn 1992): first the longest
completions, which are most of the expected work, in one piece for each actor; then the shorter
ones in smaller pieces, which fill the gaps. Not smaller than that: an engine takes as long as the
longest row of its batch, so that many small batches with a long row each take far longer than
a few large ones. While no lengths are known, any piece may have a long row, and there is one
round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rlcs.rollout.engine import GroupRequest, Sampling

ROUNDS = (0.7, 0.2, 0.1)
"""Shares of the expected work, from the longest completions to the shortest."""

Row: TypeAlias = tuple[int, int]
"""A completion of a call: the index of its request, and of its seed within that."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Piece:
    """Requests that one actor answers in one call."""

    requests: tuple[GroupRequest, ...]
    """[N]"""
    rows: tuple[tuple[Row, ...], ...]
    """[N][G] which completion each seed of each request makes."""
    sampling: Sampling
    last: bool = True
    """Whether completions that reach the budget of ``sampling`` have ended."""

    @property
    def problem_ids(self) -> tuple[str, ...]:
        """Each problem once, in the order of the requests."""
        return tuple(dict.fromkeys(request.prompt.problem_id for request in self.requests))

    @property
    def expected_tokens(self) -> float:
        """Tokens it will draw, as far as is known; the budget where nothing is known."""
        budget = self.sampling.max_drawn_tokens
        return sum(
            len(request.seeds) * min(budget, request.expected_tokens or budget)
            for request in self.requests
        )


def cut_pieces(
    requests: Sequence[GroupRequest], sampling: Sampling, *, num_actors: int, last: bool = True
) -> list[Piece]:
    """Pieces for ``num_actors`` actors, in the order in which they are handed out."""
    order = sorted(
        range(len(requests)), key=lambda index: (*_longest_first(requests[index]), index)
    )
    costs = [_cost(request) for request in requests]
    known = any(request.expected_tokens for request in requests)
    rounds = _rounds(order, costs) if known and num_actors > 1 else [order]
    return [
        _piece(chosen, requests, sampling, last)
        for part in rounds
        for chosen in _deal(part, costs, num_actors)
    ]


def _rounds(order: Sequence[int], costs: Sequence[float]) -> list[list[int]]:
    """``order`` cut where the work so far reaches the shares of :data:`ROUNDS`."""
    bounds = [sum(costs) * sum(ROUNDS[: index + 1]) for index in range(len(ROUNDS) - 1)]
    rounds: list[list[int]] = [[] for _ in ROUNDS]
    done = 0.0
    for index in order:
        rounds[sum(done >= bound for bound in bounds)].append(index)
        done += costs[index]
    return rounds


def _deal(order: Sequence[int], costs: Sequence[float], num_pieces: int) -> list[list[int]]:
    """Each to the piece with the least work so far; pieces without any are left out."""
    pieces: list[list[int]] = [[] for _ in range(num_pieces)]
    loads = [0.0] * num_pieces
    for index in order:
        piece = min(range(num_pieces), key=loads.__getitem__)
        pieces[piece].append(index)
        loads[piece] += costs[index]
    return [piece for piece in pieces if piece]


def _piece(
    chosen: Sequence[int], requests: Sequence[GroupRequest], sampling: Sampling, last: bool
) -> Piece:
    return Piece(
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
    """Work of a request, in tokens: those it reads and those it is expected to draw."""
    return len(request.seeds) * (request.expected_tokens or 0.0) + len(request.prompt.token_ids)
