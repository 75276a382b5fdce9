"""Whether two expressions have the same value: structure, exact rationals, then fifty digits.

Exact values want exact answers. A tolerance (1e-6, relative) applies only where one side is a
decimal of six or more significant figures; rounding only where question or reference asks.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rewards import algebra
from rewards.errors import AlgebraNeeded
from rewards.math.comparing.rounding import is_rounding
from rewards.math.evaluating import symbolic
from rewards.math.evaluating.exact import TooLarge, Undefined, rational
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context, is_real
from rewards.math.evaluating.points import NUM_POINTS, integer_names, points
from rewards.math.reading.cues import NO_CUES, Cues
from rewards.math.tree import (
    BigOperator,
    Call,
    Constant,
    Node,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    rebuilt,
    substituted,
    symbols,
    walk,
)

TOLERANCE = Fraction(1, 10**6)
MIN_SIGNIFICANT_DIGITS = 6
_AGREEMENT = DIGITS - 15


def same_value(reference: Node, answer: Node, cues: Cues = NO_CUES) -> bool:
    """Whether ``answer`` is worth ``reference``. May raise AlgebraNeeded, Undefined.

    A logarithm without a base is natural or decimal, but the same on both sides.
    """
    if _same_value(reference, answer, cues):
        return True
    if not any(_is_plain_logarithm(part) for node in (reference, answer) for part in walk(node)):
        return False
    return _same_value(_with_decimal_logarithms(reference), _with_decimal_logarithms(answer), cues)


def _is_plain_logarithm(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "log" and len(node.arguments) == 1


def _same_value(reference: Node, answer: Node, cues: Cues) -> bool:
    if reference == answer:
        return True
    names = symbols(reference) | symbols(answer)
    try:
        if not names:
            exact = _same_rational(reference, answer, cues)
            if exact is not None:
                return exact
        return _same_at_points(reference, answer, names, cues)
    except TooLarge:
        return sort_key(reference) == sort_key(answer)
    except (Unevaluable, AlgebraNeeded):
        if renamed(reference) == renamed(answer):
            return True
        return _same_by_algebra(reference, answer)


def _same_rational(reference: Node, answer: Node, cues: Cues) -> bool | None:
    expected, found = rational(reference), rational(answer)
    if expected is None or found is None:
        return None
    if expected == found:
        return True
    difference = abs(expected - found)
    if _is_long_decimal(reference) or _is_long_decimal(answer):
        largest = max(abs(expected), abs(found))
        if difference <= TOLERANCE * largest:
            return True
    return is_rounding(reference, answer, difference, cues)


def _is_long_decimal(node: Node) -> bool:
    return any(
        isinstance(part, Number) and part.digits >= MIN_SIGNIFICANT_DIGITS for part in walk(node)
    )


def _same_at_points(reference: Node, answer: Node, names: frozenset[str], cues: Cues) -> bool:
    tolerant = _is_long_decimal(reference) or _is_long_decimal(answer)
    compared, skipped = 0, 0
    real_reference = False
    for point in points(names, integer_names(reference, answer), positive=cues.positive):
        try:
            expected = Evaluator(point).value(reference)
        except Undefined:
            skipped += 1
            if not names:
                raise
            continue
        if names and not is_real(expected) and (real_reference or skipped < NUM_POINTS // 2):
            skipped += 1  # outside the domain where the reference is real
            continue
        real_reference |= is_real(expected)
        evaluator = Evaluator(point)
        try:
            found = evaluator.value(answer)
        except Undefined:
            return False
        if evaluator.left_reals and compared and len(_under_roots(answer)) > 1:
            continue  # ln x + ln y for ln xy: letters that are split up are taken as positive
        if not _agree(reference, answer, point, expected, found):
            return not names and _near(reference, answer, expected, found, tolerant, cues)
        compared += 1
    if compared == 0:
        raise Unevaluable("no point where the reference is defined")
    return True


def _under_roots(node: Node) -> frozenset[str]:
    """Variables under logarithms and even roots."""
    found: frozenset[str] = frozenset()
    for part in walk(node):
        if isinstance(part, Call) and part.name in ("ln", "log"):
            found |= symbols(part)
        elif isinstance(part, Power) and isinstance(part.exponent, Number):
            found |= symbols(part.base) if part.exponent.value.denominator % 2 == 0 else found
    return found


def _near(
    reference: Node, answer: Node, expected: Any, found: Any, tolerant: bool, cues: Cues
) -> bool:
    mp = context()
    if not mp.isfinite(expected) or not mp.isfinite(found):
        return False
    difference = abs(expected - found)
    if tolerant and difference * 10**6 <= max(abs(expected), abs(found)):
        return True
    if not is_real(expected) or not is_real(found):
        return False
    exact = Fraction(str(mp.nstr(mp.re(difference), 30, min_fixed=-1, max_fixed=0)))
    return is_rounding(reference, answer, exact, cues)


def _agree(reference: Node, answer: Node, point: dict[str, Any], one: Any, other: Any) -> bool:
    """Agreement to nearly all digits; near zero, whether the difference shrinks with precision."""
    mp = context()
    if mp.isinf(one) or mp.isinf(other):
        return bool(one == other)
    if mp.isnan(one) or mp.isnan(other):
        return False
    difference = abs(one - other)
    if difference == 0:
        return True
    largest = max(abs(one), abs(other))
    if difference <= largest * mp.mpf(10) ** -_AGREEMENT:
        return True
    if difference > largest * mp.mpf(10) ** -6 and largest > mp.mpf(10) ** -(DIGITS // 2):
        return False
    # Cancellation may have eaten the digits: look again with twice as many.
    precise = [Evaluator(point, 2 * DIGITS).value(node) for node in (reference, answer)]
    finer, scale = abs(precise[0] - precise[1]), max(abs(precise[0]), abs(precise[1]))
    agrees = finer <= scale * mp.mpf(10) ** -(2 * _AGREEMENT - 10)
    shrinks = finer == 0 or finer < difference * mp.mpf(10) ** -(DIGITS // 2)
    mp.dps = DIGITS
    return bool(agrees or shrinks)


def _same_by_algebra(reference: Node, answer: Node) -> bool:
    """Whether SymPy finds the difference to be zero.

    Raises AlgebraNeeded outside a worker, AnswerError for a tree SymPy has no words for.
    """
    for node in (reference, answer):
        for part in walk(node):
            if not isinstance(
                part, BigOperator | Call | Constant | Number | Power | Product | Sum | Symbol
            ):
                return False
    algebra.require()
    import sympy

    left, right = symbolic.to_sympy(reference).doit(), symbolic.to_sympy(answer).doit()
    if left == right:
        return True
    difference = left - right
    if difference.is_number:
        return bool(abs(sympy.N(difference, 30)) < 1e-20 * max(1, abs(sympy.N(left, 15))))
    return bool(sympy.simplify(difference) == 0)


def sort_key(node: Node) -> str:
    """Return a text that is the same for trees which differ only in the order of operands."""
    if isinstance(node, Sum):
        return "+" + str(sorted(sort_key(term) for term in node.terms))
    if isinstance(node, Product):
        return "*" + str(sorted(sort_key(factor) for factor in node.factors))
    if isinstance(node, Power):
        return f"^({sort_key(node.base)})({sort_key(node.exponent)})"
    if isinstance(node, Call):
        return f"{node.name}({[sort_key(argument) for argument in node.arguments]})"
    return repr(node)


def renamed(node: Node) -> Node:
    """Return ``node`` with the variable that an outermost big operator binds under a fixed name."""
    if not isinstance(node, BigOperator):
        return node
    body = substituted(node.body, node.variable, Symbol("bound variable"))
    return BigOperator(node.kind, "bound variable", body, node.lower, node.upper)


def _with_decimal_logarithms(node: Node) -> Node:
    ten = Number(Fraction(10))

    def with_base(part: Node) -> Node:
        if isinstance(part, Call) and _is_plain_logarithm(part):
            return Call("log", (*part.arguments, ten))
        return part

    return rebuilt(node, with_base)
