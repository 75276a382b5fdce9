"""One-to-one matching between answers and references."""

from __future__ import annotations

from collections.abc import Sequence


def num_matched(allowed: Sequence[Sequence[bool]]) -> int:
    """The size of the largest one-to-one matching; ``allowed[i][j]``: i may go with j.

    Augmenting paths, without recursion (Kuhn's algorithm). SciPy's assignment is used where
    costs matter; here only yes and no do, and importing SciPy costs more than the matching.
    """
    partner_of: dict[int, int] = {}
    for start in range(len(allowed)):
        came_from: dict[int, int] = {}
        queue = [start]
        for left in queue:
            free = _explore(allowed[left], left, partner_of, came_from, queue)
            if free is not None:
                _turn(free, came_from, partner_of)
                break
    return len(partner_of)


def _explore(
    row: Sequence[bool],
    left: int,
    partner_of: dict[int, int],
    came_from: dict[int, int],
    queue: list[int],
) -> int | None:
    """Reach new right sides from ``left``; return one that is free."""
    for right, fits in enumerate(row):
        if fits and right not in came_from:
            came_from[right] = left
            if right not in partner_of:
                return right
            queue.append(partner_of[right])
    return None


def _turn(free: int, came_from: dict[int, int], partner_of: dict[int, int]) -> None:
    """Swap matched and unmatched pairs along the path that ends at ``free``."""
    right = free
    while True:
        left = came_from[right]
        previous = next((r for r, partner in partner_of.items() if partner == left), None)
        partner_of[right] = left
        if previous is None:
            return
        right = previous
