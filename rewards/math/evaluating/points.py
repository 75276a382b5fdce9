"""The points at which two expressions with variables are evaluated and compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from rewards.math.evaluating.exact import TooLarge, Undefined, rational
from rewards.math.evaluating.numeric import DIGITS, context
from rewards.math.tree import BigOperator, Call, Node, Power, symbols, walk

NUM_POINTS = 4


def points(
    names: frozenset[str], integers: frozenset[str] = frozenset(), *, positive: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the same pseudo-random points every time: all positive first, then of mixed signs.

    integers: the variables that get whole numbers. positive: no variable gets a negative number.
    """
    mp = context()
    mp.dps = DIGITS
    if not names:
        yield {}
        return
    generator = random.Random(20_507)
    ordered = sorted(names)
    for index in range(2 * NUM_POINTS):
        point = {}
        for name in ordered:
            if name in integers:
                point[name] = mp.mpf(generator.randint(2, 9))
                continue
            value = mp.mpf(generator.randint(10**11, 3 * 10**12)) / 10**12
            mixed = index >= NUM_POINTS // 2 and not positive
            point[name] = -value if mixed and generator.random() < 0.5 else value
        yield point


def integer_names(*nodes: Node) -> frozenset[str]:
    """Return the variables that can only be integers: in factorials, (-1)^n, bounds of sums."""
    found: frozenset[str] = frozenset()
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Call) and part.name in ("factorial", "binom", "gcd", "lcm"):
                found |= symbols(part)
            elif isinstance(part, Power) and _is_negative(part.base):
                found |= symbols(part.exponent)
            elif isinstance(part, BigOperator) and part.kind in ("sum", "product"):
                for bound in (part.lower, part.upper):
                    found |= symbols(bound) if bound is not None else frozenset()
    return found


def _is_negative(node: Node) -> bool:
    try:
        value = rational(node)
    except (TooLarge, Undefined):
        return False
    return value is not None and value < 0
