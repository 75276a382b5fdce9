"""One-to-one matching between answers and references."""

from __future__ import annotations

from collections.abc import Sequence


def num_matched(allowed: Sequence[Sequence[bool]]) -> int:
    """Return the size of the largest one-to-one matching.

    ``allowed[i][j]`` says whether i on the left may go with j on the right. The way is that of
    augmenting paths, without recursion (Kuhn's algorithm). SciPy's is faster from some hundred
    objects on and slower below, and importing SciPy costs a worker more than any matching here:
    a good part of its first item's time and half of its address space.
    """
    fitting = [[right for right, fits in enumerate(row) if fits] for row in allowed]
    left_of: dict[int, int] = {}
    right_of: dict[int, int] = {}
    given_up: set[int] = set()  # what a search in vain has reached, no later one gets through
    for start in range(len(fitting)):
        came_from: dict[int, int] = {}
        free = _free_right(start, fitting, left_of, came_from, given_up)
        if free is None:
            given_up.update(came_from)
        else:
            _swap_along(free, came_from, left_of, right_of)
    return len(left_of)


def _free_right(
    start: int,
    fitting: Sequence[Sequence[int]],
    left_of: dict[int, int],
    came_from: dict[int, int],
    given_up: set[int],
) -> int | None:
    """Search breadth first from the left ``start`` for a right that is free.

    ``came_from`` is filled with every right that was reached, and the left before it.
    """
    queue = [start]
    for left in queue:
        for right in fitting[left]:
            if right in came_from or right in given_up:
                continue
            came_from[right] = left
            if right not in left_of:
                return right
            queue.append(left_of[right])
    return None


def _swap_along(
    free: int, came_from: dict[int, int], left_of: dict[int, int], right_of: dict[int, int]
) -> None:
    """Match anew along the path that ends at the right ``free``, which makes one match more."""
    right: int | None = free
    while right is not None:
        left = came_from[right]
        previous = right_of.get(left)
        left_of[right], right_of[left] = left, right
        right = previous
