"""General solutions: arithmetic progressions, and intervals repeated with a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rewards.errors import AnswerError
from rewards.math.comparing.collections import solutions, unlabelled
from rewards.math.evaluating.exact import TooLarge, Undefined
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context
from rewards.math.tree import (
    BigOperator,
    Bracket,
    Call,
    Constant,
    Listing,
    Node,
    Product,
    Quantity,
    Relation,
    SetOf,
    SetOperation,
    Symbol,
    symbols,
    walk,
    with_symbol_renamed,
)

_INTEGER_LETTERS = frozenset("kKnmlNM")
_PARAMETER_LETTERS = _INTEGER_LETTERS | frozenset("tjpq")  # where the other side declares its own
# The first numbers that each set of natural numbers may begin with.
_FIRST = {"N0": (0,), "N+": (1,), "N": (0, 1)}
_DEGREES = (("degree", Fraction(1)),)


def symbols_of_values(node: Node) -> frozenset[str]:
    """Return the free variables of the values of ``node``, without labels such as ``x =``."""
    values = solutions(node)
    return frozenset().union(*map(symbols, [unlabelled(node)] if values is None else values))


def implied_parameter(node: Node) -> str | None:
    """Return the one letter of ``π/4 + kπ`` when it counts periods, else None.

    It is one of k, n, m, l, N, K and M, and is multiplied by pi or by degrees.
    """
    if not any(isinstance(part, Constant | Call | Quantity) for part in walk(node)):
        return None
    free = symbols_of_values(node)
    if len(free) != 1 or not free <= _INTEGER_LETTERS:
        return None
    if isinstance(node, Quantity) and node.unit == _DEGREES:
        return next(iter(free))
    for part in walk(node):
        if isinstance(part, Product) and symbols(part) and any(map(_is_angle, walk(part))):
            return next(iter(free))
    return None


def _is_angle(node: Node) -> bool:
    return node == Constant("pi") or (isinstance(node, Call) and node.name == "degree")


def same_general_solution(
    reference: Node,
    answer: Node,
    reference_parameters: Mapping[str, str],
    answer_parameters: Mapping[str, str],
) -> bool | None:
    """Whether two general solutions are the same set; None when the reference is no such set.

    Each side has one parameter, which runs over the integers or the natural numbers: the set
    that it declares, or else the other side's.

    Raises AnswerError for an answer that is none.
    """
    names = []
    for node, declared in ((reference, reference_parameters), (answer, answer_parameters)):
        free = symbols_of_values(node)
        chosen = free.intersection(declared) if declared else free & _PARAMETER_LETTERS
        if len(chosen) != 1:
            return None
        names.append(next(iter(chosen)))
    one, other = reference_parameters.get(names[0]), answer_parameters.get(names[1])
    one, other = one or other or "Z", other or one or "Z"
    if (one == "Z") != (other == "Z"):
        return False
    try:
        intervals = families(reference, names[0])
        expected = [] if intervals is not None else progressions(reference, names[0])
    except AnswerError:
        return None
    if intervals is not None:
        found = families(answer, names[1])
        return found is not None and same_families(intervals, found)
    if one == "Z":
        return same_progressions(expected, progressions(answer, names[1]))
    return same_half_progressions(expected, progressions(answer, names[1]), one, other)


def with_parameter_of(
    declared: tuple[Mapping[str, str], Mapping[str, str]], reference: Node, answer: Node
) -> Node:
    """Return ``answer`` with its one parameter called as in the reference, where sets agree."""
    expected, found = declared
    if len(expected) != 1 or len(found) != 1:
        return answer
    (name, kind), (other, other_kind) = *expected.items(), *found.items()
    if kind != other_kind or name == other or name in symbols(answer):
        return answer
    return with_symbol_renamed(answer, other, name)


@dataclass(frozen=True, slots=True)
class Family:
    """An interval whose ends both move by ``step`` for each integer."""

    opening: str
    closing: str
    low: Any
    high: Any
    step: Any


def families(node: Node, parameter: str) -> list[Family] | None:
    """Return the intervals of ``node`` that repeat with ``parameter``; None for any other node."""
    if isinstance(node, SetOperation) and node.kind == "union":
        parts = [families(side, parameter) for side in (node.left, node.right)]
    elif isinstance(node, Listing):
        parts = [families(item, parameter) for item in node.items]
    else:
        interval = _interval(node)
        if interval is None or len(interval.items) != 2:
            return None
        (low, step), (high, other) = (_progression(end, parameter) for end in interval.items)
        if step == 0 or abs(step - other) > abs(step) * context().mpf(10) ** (15 - DIGITS):
            return None
        return [Family(interval.opening, interval.closing, low, high, abs(step))]
    if any(part is None for part in parts):
        return None
    return [family for part in parts for family in part or []]


def _interval(node: Node) -> Bracket | None:
    """``a < x < b`` and ``x ∈ (a, b)`` as the interval."""
    if isinstance(node, Relation) and node.operators == ("in",):
        node = node.sides[1]
    if isinstance(node, Bracket):
        return node
    if not isinstance(node, Relation) or len(node.sides) != 3:
        return None
    low, middle, high = node.sides
    operators = node.operators
    if set(operators) <= {">", ">="}:
        low, high, operators = high, low, operators[::-1]
    elif not set(operators) <= {"<", "<="}:
        return None
    if not isinstance(middle, Symbol):
        return None
    opening, closing = (
        ("(" if operators[0] in "<>" else "["),
        (")" if operators[1] in "<>" else "]"),
    )
    return Bracket(opening, closing, (low, high))


def same_families(expected: list[Family], found: list[Family]) -> bool:
    """Whether every family is one of the other side, shifted by whole steps."""
    return _all_in(expected, found) and _all_in(found, expected)


def _all_in(one: list[Family], other: list[Family]) -> bool:
    return all(any(_same_family(a, b) for b in other) for a in one)


def _same_family(one: Family, other: Family) -> bool:
    mp = context()
    small = mp.mpf(10) ** (15 - DIGITS) * (1 + abs(one.low) + abs(one.high))
    if (one.opening, one.closing) != (other.opening, other.closing):
        return False
    if (
        abs(one.step - other.step) > small
        or abs((one.high - one.low) - (other.high - other.low)) > small
    ):
        return False
    shift = (one.low - other.low) / one.step
    return bool(abs(shift - mp.nint(shift)) < small)


def progressions(node: Node, parameter: str) -> list[tuple[Any, Any]]:
    """Return each branch of a general solution as (offset, step), the step with its sign.

    Raises AnswerError for a branch that is not linear in ``parameter``.
    """
    values = solutions(node)
    branches = [unlabelled(node)] if values is None else values
    found = []
    for branch in branches:
        if isinstance(branch, Relation | SetOf):
            raise AnswerError("not a general solution in one parameter")
        found.append(_progression(branch, parameter))
    return found


def _progression(node: Node, parameter: str) -> tuple[Any, Any]:
    """Offset and step of a value that is linear in the parameter."""
    if isinstance(node, Quantity):
        node = Call("degree", (node.value,)) if node.unit == _DEGREES else node.value
    if symbols(node) - {parameter} or any(isinstance(part, BigOperator) for part in walk(node)):
        raise AnswerError("not a general solution in one parameter")
    mp = context()
    try:
        at = [Evaluator({parameter: mp.mpf(n)}).value(node) for n in (0, 1, 2, 5)]
    except (Unevaluable, TooLarge, Undefined) as error:
        raise AnswerError("not a general solution in one parameter") from error
    step = at[1] - at[0]
    small = mp.mpf(10) ** (15 - DIGITS)
    if abs(at[2] - at[0] - 2 * step) > small or abs(at[3] - at[0] - 5 * step) > small:
        raise AnswerError("not linear in the parameter")
    return at[0], step


def same_progressions(expected: list[tuple[Any, Any]], found: list[tuple[Any, Any]]) -> bool:
    """Whether two unions of arithmetic progressions are the same set."""
    mp = context()
    expected, found = ([(o, abs(step)) for o, step in side] for side in (expected, found))
    steps = [step for _, step in expected + found]
    if any(step == 0 for step in steps):
        return False
    period = steps[0]
    for step in steps[1:]:
        ratio = _small_ratio(step / period)
        if ratio is None:
            return False
        period = period * ratio.numerator
    small = period * mp.mpf(10) ** (15 - DIGITS)
    residues = [_residues(branches, period, small) for branches in (expected, found)]
    if any(residue is None for residue in residues):
        return False
    one, other = (residue or [] for residue in residues)
    return _circular_subset(one, other, period, small) and _circular_subset(
        other, one, period, small
    )


def same_half_progressions(
    expected: list[tuple[Any, Any]], found: list[tuple[Any, Any]], one: str, other: str
) -> bool:
    """Whether two lists of progressions with a first value are the same.

    one, other: the sets that the parameters run over, N0, N+, or N for either of them.
    """
    for start in _FIRST[one]:
        for other_start in _FIRST[other]:
            if one == other == "N" and start != other_start:
                continue
            sides = [
                [(offset + step * at, step) for offset, step in side]
                for side, at in ((expected, start), (found, other_start))
            ]
            if _all_near(*sides) and _all_near(*reversed(sides)):
                return True
    return False


def _all_near(one: list[tuple[Any, Any]], other: list[tuple[Any, Any]]) -> bool:
    small = context().mpf(10) ** (15 - DIGITS)
    return all(
        any(
            abs(a - b) <= small * (1 + abs(a)) and abs(s - t) <= small * (1 + abs(s))
            for b, t in other
        )
        for a, s in one
    )


def _small_ratio(value: Any) -> Fraction | None:
    ratio = Fraction(float(value)).limit_denominator(720)
    mp = context()
    close = abs(value - mp.mpf(ratio.numerator) / ratio.denominator) < mp.mpf(10) ** (15 - DIGITS)
    return ratio if close and ratio and ratio.numerator <= 720 else None


def _residues(branches: list[tuple[Any, Any]], period: Any, small: Any) -> list[Any] | None:
    mp = context()
    found = []
    for offset, step in branches:
        count = int(mp.nint(period / step))
        if count > 1000:
            return None
        found += [mp.fmod(offset + k * step, period) for k in range(count)]
    return [value + period if value < -small else value for value in found]


def _circular_subset(one: list[Any], other: list[Any], period: Any, small: Any) -> bool:
    def near(a: Any, b: Any) -> bool:
        distance = abs(a - b)
        return bool(distance < small or abs(distance - period) < small)

    return all(any(near(a, b) for b in other) for a in one)
