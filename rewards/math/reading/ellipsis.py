"""The dots of ``1, 2, …, 10``, and the numbers that they stand for."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from rewards.math.reading.cursor import Cursor
from rewards.math.tree import Node, Number, Symbol

ELLIPSIS = Symbol("…")
_MAX_FILLED = 64


def read_ellipsis(cursor: Cursor) -> Node:
    """Read the dots, as a symbol of their own."""
    cursor.position += 1
    return ELLIPSIS


def filled_in(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return ``1, 2, …, 10`` with the numbers that the dots stand for, when they are few."""
    if items.count(ELLIPSIS) != 1:
        return items
    at = items.index(ELLIPSIS)
    values = [item.value for item in items if isinstance(item, Number)]
    if at < 2 or at != len(items) - 2 or len(values) != len(items) - 1:
        return items
    step = values[1] - values[0]
    steps = {later - earlier for earlier, later in pairwise(values[:at])}
    if not step or steps != {step} or (values[-1] - values[0]) % step:
        return items
    count = (values[-1] - values[0]) / step
    if not at <= count <= _MAX_FILLED:
        return items
    return tuple(Number(values[0] + step * Fraction(i)) for i in range(int(count) + 1))
