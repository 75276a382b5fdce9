"""From a tree to the set of reals that it describes: intervals, inequalities, unions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rewards.math.evaluating import symbolic
from rewards.math.evaluating.exact import TooLarge, Undefined, rational
from rewards.math.evaluating.intervals import (
    Interval,
    RealSet,
    combined,
    complement,
    normal,
    point,
    with_open_infinity,
)
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context
from rewards.math.tree import (
    Bracket,
    Builder,
    Call,
    Listing,
    NamedSet,
    Node,
    Number,
    Relation,
    SetOf,
    SetOperation,
    Symbol,
    difference,
    negated,
    substituted,
    symbols,
)

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_PROBES = tuple(Fraction(n) for n in (0, 1, 2, 7, -3))


class NotARealSet(Exception):
    """The node is no subset of the real line that can be computed here."""


def real_set(node: Node) -> RealSet:
    """Return the set that ``node`` describes, in normal form. Raises NotARealSet, AlgebraNeeded."""
    try:
        return _read(node)
    except (Unevaluable, TooLarge, Undefined) as error:
        raise NotARealSet(str(error)) from error


def _read(node: Node) -> RealSet:
    if isinstance(node, NamedSet):
        return _named(node.name)
    if isinstance(node, Bracket) and len(node.items) == 2:
        return _interval(node)
    if isinstance(node, SetOf):
        return normal([point(_number(item)) for item in node.items])
    if isinstance(node, SetOperation):
        return combined(node.kind, _read(node.left), _read(node.right))
    if isinstance(node, Relation):
        return _relation(node)
    if isinstance(node, Builder):
        return _read(node.condition)
    if isinstance(node, Listing):
        return _listing(node)
    raise NotARealSet(type(node).__name__)


def _named(name: str) -> RealSet:
    mp = context()
    if name == "":
        return []
    if name == "R":
        return [Interval(-mp.inf, mp.inf, False, False)]
    raise NotARealSet(name)


def _interval(node: Bracket) -> RealSet:
    low, high = _number(node.items[0]), _number(node.items[1])
    mp = context()
    low_closed = node.opening == "[" and bool(mp.isfinite(low))
    high_closed = node.closing == "]" and bool(mp.isfinite(high))
    if low > high or (low == high and not (low_closed and high_closed)):
        raise NotARealSet("an empty interval")
    return [Interval(low, high, low_closed, high_closed)]


def _listing(node: Listing) -> RealSet:
    parts = [_read(item) for item in node.items]
    if node.connective == "and":
        return _fold("intersection", parts)
    if node.connective == "or":
        return _fold("union", parts)
    # "x > 1, x < 3" means both at once; "x < 1, x > 2" can only mean either.
    return _fold("intersection", parts) or _fold("union", parts)


def _fold(kind: str, parts: list[RealSet]) -> RealSet:
    total = parts[0]
    for part in parts[1:]:
        total = combined(kind, total, part)
    return total


def _relation(node: Relation) -> RealSet:
    if len(node.sides) == 2 and node.operators[0] in ("in", "notin"):
        if not isinstance(node.sides[0], Symbol):
            raise NotARealSet("membership of no variable")
        inside = _read(node.sides[1])
        return inside if node.operators[0] == "in" else complement(inside)
    steps = zip(node.sides[:-1], node.operators, node.sides[1:], strict=True)
    return _fold("intersection", [_inequality(*step) for step in steps])


def _inequality(left: Node, operator: str, right: Node) -> RealSet:
    names = symbols(left) | symbols(right)
    if len(names) != 1 or operator not in ("<", "<=", ">", ">=", "=", "!="):
        raise NotARealSet("not an inequality in one variable")
    (name,) = names
    solved = _absolute(left, operator, right) or _linear(left, operator, right, name)
    if solved is not None:
        return solved
    if operator == "=":
        raise NotARealSet("an equation to solve")
    return _from_sympy(symbolic.solution_set((left, right), operator, name))


def _absolute(left: Node, operator: str, right: Node) -> RealSet | None:
    """``|f| < c`` as ``-c < f < c``, and ``|f| > c`` as either side, for a number c."""
    if isinstance(right, Call) and right.name == "abs" and not symbols(left):
        left, operator, right = right, _FLIPPED[operator], left
    if not isinstance(left, Call) or left.name != "abs" or symbols(right):
        return None
    if operator not in ("<", "<=", ">", ">="):
        return None
    inside, bound = left.arguments[0], _number(right)
    if bound <= 0:
        return None
    above = _inequality(inside, operator, right)
    below = _inequality(inside, _FLIPPED[operator], negated(right))
    return combined("intersection" if operator in ("<", "<=") else "union", above, below)


def _linear(left: Node, operator: str, right: Node, name: str) -> RealSet | None:
    """The solutions of an inequality that is linear in ``name``, else None."""
    if isinstance(left, Symbol) and name not in symbols(right):
        return _half_line(operator, _number(right))
    if isinstance(right, Symbol) and name not in symbols(left):
        return _half_line(_FLIPPED[operator], _number(left))
    moved = difference(left, right)
    at = [rational(substituted(moved, name, Number(n))) for n in _PROBES]
    if any(value is None for value in at):
        return None
    values = [value for value in at if value is not None]
    slope = values[1] - values[0]
    if not slope or any(v != values[0] + slope * n for v, n in zip(values, _PROBES, strict=True)):
        return None
    root = -values[0] / slope
    mp = context()
    bound = mp.mpf(root.numerator) / root.denominator
    return _half_line(operator if slope > 0 else _FLIPPED[operator], bound)


def _half_line(operator: str, bound: Any) -> RealSet:
    mp = context()
    if not mp.isfinite(bound):
        if operator in ("<", ">", "<=", ">="):
            return [Interval(-mp.inf, mp.inf, False, False)]
        raise NotARealSet("an infinite value")
    if operator in ("<", "<="):
        return [Interval(-mp.inf, bound, False, operator == "<=")]
    if operator in (">", ">="):
        return [Interval(bound, mp.inf, operator == ">=", False)]
    if operator == "=":
        return [point(bound)]
    return complement([point(bound)])


def _number(node: Node) -> Any:
    value = Evaluator({}).value(node)
    mp = context()
    if mp.isnan(value) or abs(mp.im(value)) > mp.mpf(10) ** (-DIGITS // 2):
        raise NotARealSet("an endpoint that is no real number")
    return mp.re(value)


def _from_sympy(found: Any) -> RealSet:
    import sympy

    mp = context()

    def endpoint(value: Any) -> Any:
        if value in (sympy.oo, -sympy.oo):
            return mp.inf if value == sympy.oo else -mp.inf
        return mp.mpf(str(sympy.N(value, DIGITS)))

    if found is sympy.S.EmptySet:
        return []
    if found is sympy.S.Reals:
        return _named("R")
    if isinstance(found, sympy.Union):
        return normal([interval for part in found.args for interval in _from_sympy(part)])
    if isinstance(found, sympy.FiniteSet):
        return normal([point(endpoint(value)) for value in found.args])
    if isinstance(found, sympy.Interval):
        low, high = endpoint(found.start), endpoint(found.end)
        return [with_open_infinity(Interval(low, high, not found.left_open, not found.right_open))]
    raise NotARealSet(type(found).__name__)
