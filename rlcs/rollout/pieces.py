"""A step's work in pieces that are handed out one by one, the longest first.

Where a piece is cut depends on the requests alone, never on which actor is free: a batch is
computed the same wherever it runs, so that a resumed or a disturbed run draws the same tokens.
Only who gets a piece is decided while the work goes on.

Pieces get smaller towards the end, each a share of what is left (guided self-scheduling,
Polychronopoulos and Kuck 1987): large batches keep engines busy, small ones at the end let
all actors finish together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rlcs.rollout.engine import GroupRequest, Sampling

PIECES_LEFT = 2
"""A piece is one over this of what each actor would get of the rest."""

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
    costs = [_cost(requests[index]) for index in order]
    left, pieces, start = sum(costs), [], 0
    while start < len(order):
        share, end = costs[start], start + 1
        target = left / (PIECES_LEFT * num_actors) if num_actors > 1 else left
        while end < len(order) and share + costs[end] <= target:
            share, end = share + costs[end], end + 1
        pieces.append(_piece(order[start:end], requests, sampling, last))
        left, start = left - share, end
    return pieces


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
