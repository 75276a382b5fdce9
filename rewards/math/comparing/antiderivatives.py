r"""Constants of integration: antiderivatives of an integral, and arbitrary constants renamed."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from typing import Any

from rewards.errors import AlgebraNeeded
from rewards.math.evaluating.exact import TooLarge, Undefined
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context
from rewards.math.evaluating.points import points
from rewards.math.reading.cues import Cues
from rewards.math.tree import BigOperator, Node, Relation, Sum, Symbol, substituted, symbols

_CONSTANT_NAMES = frozenset(["C", "c", "K", "k", "D", "A", "const"])
_ARBITRARY = re.compile(r"[Cc](?:_\d)?")
_RENAMED_ARBITRARY = re.compile(r"[ABCDKack](?:_\d)?")
_MAX_ARBITRARY = 3
_UNDEFINED = (Undefined, Unevaluable, TooLarge, AlgebraNeeded)


def is_indefinite(node: Node) -> bool:
    """Whether ``node`` is an integral without bounds."""
    return isinstance(node, BigOperator) and node.kind == "integral" and node.lower is None


def is_antiderivative(integral: Node, answer: Node) -> bool:
    """Whether ``answer`` is an antiderivative, with its constant, of what ``integral`` integrates.

    By differentiating the answer numerically at random points: a central difference with a
    step of 10^-16 in fifty digits leaves some thirty digits.
    """
    assert isinstance(integral, BigOperator)
    rest, constant = _without_constant(answer)
    names = symbols(integral.body) | symbols(rest) | {integral.variable}
    if constant is None or constant in names:
        return False
    mp = context()
    compared = 0
    for point in points(frozenset(names)):
        try:
            expected = Evaluator(point).value(integral.body)
            slope = _slope(rest, integral.variable, point)
        except _UNDEFINED:
            continue
        if mp.im(expected) != 0:
            continue
        if abs(slope - expected) > mp.mpf(10) ** -25 * (1 + abs(expected)):
            return False
        compared += 1
    return compared >= 2


def _slope(node: Node, variable: str, point: dict[str, Any]) -> Any:
    """The derivative; where the value is not real, a number that fits nothing real."""
    mp = context()
    step = mp.mpf(10) ** (-DIGITS // 3)
    low, high = (
        Evaluator({**point, variable: point[variable] + sign * step}).value(node)
        for sign in (-1, 1)
    )
    return mp.mpc(0, 1) if mp.im(low) != 0 else (high - low) / (2 * step)


def same_up_to_constant(reference: Node, answer: Node, cues: Cues) -> bool:
    """Whether two antiderivatives are equal up to an additive constant, which both must have.

    An answer may add a constant to a reference without one when the question integrates.
    """
    expected_rest, expected_name = _without_constant(reference)
    found_rest, found_name = _without_constant(answer)
    if found_name is None or (expected_name is None and not cues.integral):
        return False
    if expected_name is None:
        expected_rest = reference
    names = symbols(expected_rest) | symbols(found_rest)
    if not names or found_name in names or expected_name in names:
        return False
    return _constant_difference(expected_rest, found_rest, names, cues)


def _without_constant(node: Node) -> tuple[Node, str | None]:
    if not isinstance(node, Sum):
        return node, None
    for index, term in enumerate(node.terms):
        if isinstance(term, Symbol) and term.name.partition("_")[0] in _CONSTANT_NAMES:
            rest = node.terms[:index] + node.terms[index + 1 :]
            kept = rest[0] if len(rest) == 1 else Sum(rest)
            if term.name not in symbols(kept):
                return kept, term.name
    return node, None


def _constant_difference(one: Node, other: Node, names: frozenset[str], cues: Cues) -> bool:
    mp = context()
    constant: Any = None
    compared = 0
    for point in points(names, positive=cues.positive):
        try:
            values = [Evaluator(point).value(node) for node in (one, other)]
        except _UNDEFINED:
            continue
        if mp.im(values[0]) != 0:
            continue
        current = values[1] - values[0]
        if constant is not None and abs(current - constant) > mp.mpf(10) ** (15 - DIGITS) * (
            1 + abs(values[0])
        ):
            return False
        constant = current
        compared += 1
    return compared >= 2


def same_with_constants_renamed(
    reference: Relation, answer: Relation, same: Callable[[Relation, Relation], bool]
) -> bool:
    """Whether ``y = C_1 e^x + C_2`` is ``y = A e^x + B``: solutions of a differential equation.

    The reference's constants must be called C (or c), so that letters with a meaning of their
    own are never exchanged.
    """
    names, found = symbols(reference), symbols(answer)
    expected = sorted(name for name in names if _ARBITRARY.fullmatch(name))
    others = names - set(expected)
    renamed = sorted(found - others)
    if not 0 < len(expected) == len(renamed) <= _MAX_ARBITRARY or not others:
        return False
    if not all(_RENAMED_ARBITRARY.fullmatch(name) for name in renamed):
        return False
    for order in permutations(expected):
        candidate: Node = answer
        for index, name in enumerate(renamed):
            candidate = _replaced(candidate, name, f"constant {index}")
        for index, name in enumerate(order):
            candidate = _replaced(candidate, f"constant {index}", name)
        assert isinstance(candidate, Relation)
        if same(reference, candidate):
            return True
    return False


def _replaced(node: Node, name: str, new: str) -> Node:
    assert isinstance(node, Relation)
    sides = tuple(substituted(side, name, Symbol(new)) for side in node.sides)
    return Relation(node.operators, sides)
