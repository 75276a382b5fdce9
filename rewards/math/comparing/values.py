"""Whether two expressions have the same value: structure, exact rationals, then fifty digits.

Exact values want exact answers. A tolerance (1e-6, relative) applies only where one side is a
decimal of six or more significant figures; rounding only where question or reference asks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from rewards.errors import AlgebraNeeded
from rewards.math.evaluating import symbolic
from rewards.math.evaluating.exact import TooLarge, Undefined, rational
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context
from rewards.math.reading.cues import NO_CUES, Cues
from rewards.math.tree import (
    BigOperator,
    Call,
    Node,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    symbols,
    walk,
)

TOLERANCE = Fraction(1, 10**6)
MIN_SIGNIFICANT_DIGITS = 6
NUM_POINTS = 4
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
        return symbolic.same_value(reference, answer)


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
    return _is_rounding(reference, answer, float(0), difference, cues)


def _is_long_decimal(node: Node) -> bool:
    return any(
        isinstance(part, Number) and part.digits >= MIN_SIGNIFICANT_DIGITS for part in walk(node)
    )


def _is_rounding(reference: Node, answer: Node, expected: Any, difference: Any, cues: Cues) -> bool:
    """Whether one is the other rounded as the question says."""
    if not cues.rounds:
        return False
    written_reference, written_answer = _written(reference), _written(answer)
    if written_reference is not None and (written_reference.places or cues.places is not None):
        places = cues.places if cues.places is not None else written_reference.places
        if cues.places is None and cues.significant is not None:
            places = _places_for(written_reference, cues.significant)
        if places <= 0 and written_answer is not None:
            return False  # asked for a whole number: an unrounded one is no answer
        return bool(difference <= Fraction(1, 2) * Fraction(10) ** -places)
    if written_answer is None:
        return False
    if cues.significant is not None:
        places = _places_for(written_answer, cues.significant)
    elif cues.places is not None:
        places = cues.places
    else:
        return False
    if written_answer.places > max(places, 0):
        return False
    return bool(difference <= Fraction(1, 2) * Fraction(10) ** -places)


def _places_for(number: Number, significant: int) -> int:
    """Decimal places that ``significant`` figures of ``number`` reach."""
    magnitude = 0
    value = abs(number.value)
    while value >= 1 and magnitude < 400:
        value, magnitude = value / 10, magnitude + 1
    while value and value < Fraction(1, 10) and magnitude > -400:
        value, magnitude = value * 10, magnitude - 1
    return significant - magnitude


def _written(node: Node) -> Number | None:
    """The number as written, under a sign or a percent sign."""
    if isinstance(node, Product) and len(node.factors) == 2 and rational(node.factors[0]) == -1:
        return _written(node.factors[1])
    return node if isinstance(node, Number) else None


def _same_at_points(reference: Node, answer: Node, names: frozenset[str], cues: Cues) -> bool:
    tolerant = _is_long_decimal(reference) or _is_long_decimal(answer)
    compared, skipped = 0, 0
    real_reference = False
    for point in points(names, _integer_names(reference, answer), cues):
        try:
            expected = Evaluator(point).value(reference)
        except Undefined:
            skipped += 1
            if not names:
                raise
            continue
        if names and not _is_real(expected) and (real_reference or skipped < NUM_POINTS // 2):
            skipped += 1  # outside the domain where the reference is real
            continue
        real_reference |= _is_real(expected)
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


def _is_real(value: Any) -> bool:
    mp = context()
    return bool(abs(mp.im(value)) <= mp.mpf(10) ** (-DIGITS // 2) * (1 + abs(mp.re(value))))


def _near(
    reference: Node, answer: Node, expected: Any, found: Any, tolerant: bool, cues: Cues
) -> bool:
    mp = context()
    if not mp.isfinite(expected) or not mp.isfinite(found):
        return False
    difference = abs(expected - found)
    if tolerant and difference * 10**6 <= max(abs(expected), abs(found)):
        return True
    if not _is_real(expected) or not _is_real(found):
        return False
    exact = Fraction(str(mp.nstr(mp.re(difference), 30, min_fixed=-1, max_fixed=0)))
    return _is_rounding(reference, answer, expected, exact, cues)


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


def points(
    names: frozenset[str], integers: frozenset[str], cues: Cues = NO_CUES
) -> Iterator[dict[str, Any]]:
    """Fixed pseudo-random points: positive ones first, then of mixed signs."""
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
            mixed = index >= NUM_POINTS // 2 and not cues.positive
            point[name] = -value if mixed and generator.random() < 0.5 else value
        yield point


def _integer_names(*nodes: Node) -> frozenset[str]:
    """Variables that only make sense as integers: in factorials, (-1)^n, bounds of sums."""
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


def sort_key(node: Node) -> str:
    """A text that is the same for trees that differ in the order of terms and factors only."""
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
    """``node`` with the bound variable of an outermost big operator called by one name."""
    if not isinstance(node, BigOperator):
        return node
    body = substituted(node.body, node.variable, Symbol("bound variable"))
    return BigOperator(node.kind, "bound variable", body, node.lower, node.upper)


def substituted(node: Node, name: str, value: Node) -> Node:
    """``node`` with the variable ``name`` replaced."""
    return rebuilt(node, lambda part: value if part == Symbol(name) else part)


def _with_decimal_logarithms(node: Node) -> Node:
    ten = Number(Fraction(10))

    def with_base(part: Node) -> Node:
        if isinstance(part, Call) and _is_plain_logarithm(part):
            return Call("log", (*part.arguments, ten))
        return part

    return rebuilt(node, with_base)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """An expression with ``change`` applied to every part, the innermost first."""
    if isinstance(node, Sum):
        node = Sum(tuple(rebuilt(term, change) for term in node.terms))
    elif isinstance(node, Product):
        node = Product(tuple(rebuilt(factor, change) for factor in node.factors))
    elif isinstance(node, Power):
        node = Power(rebuilt(node.base, change), rebuilt(node.exponent, change))
    elif isinstance(node, Call):
        node = Call(node.name, tuple(rebuilt(argument, change) for argument in node.arguments))
    return change(node)
