"""Exact rational evaluation, with the size of every result bounded before it is computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.tree import (
    Call,
    Congruence,
    Node,
    Number,
    Power,
    Product,
    Sum,
)

MAX_BITS = 16_384
MAX_FACTORIAL = 1_500


class TooLarge(AnswerError):
    """A value whose size is beyond the limit; it is compared by structure instead."""


class Undefined(AnswerError):
    """Division by zero, an even root of a negative where a real is wanted, and the like."""


def rational(node: Node) -> Fraction | None:
    """Return the exact value of ``node`` if it is a rational computed from numbers, else None.

    Raises TooLarge, Undefined.
    """
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Sum):
        return _combine(node.terms, Fraction(0), _add)
    if isinstance(node, Product):
        return _combine(node.factors, Fraction(1), _multiply)
    if isinstance(node, Power):
        return _power(node)
    if isinstance(node, Call):
        arguments = [rational(argument) for argument in node.arguments]
        known = [argument for argument in arguments if argument is not None]
        if len(known) < len(arguments) or node.name not in _CALLS:
            return None
        return _CALLS[node.name](known)
    if isinstance(node, Congruence) and node.left is None:
        value, modulus = rational(node.right), rational(node.modulus)
        if value is None or modulus is None or not modulus:
            return None
        return value % modulus
    return None


def bits(value: Fraction) -> int:
    """Return the size of a fraction in bits: of its numerator and its denominator."""
    return value.numerator.bit_length() + value.denominator.bit_length()


def _combine(
    parts: tuple[Node, ...],
    start: Fraction,
    operation: Callable[[Fraction, Fraction], Fraction],
) -> Fraction | None:
    total = start
    for part in parts:
        value = rational(part)
        if value is None:
            return None
        total = operation(total, value)
        if bits(total) > MAX_BITS:
            raise TooLarge("a number too large to compute")
    return total


def _add(left: Fraction, right: Fraction) -> Fraction:
    return left + right


def _multiply(left: Fraction, right: Fraction) -> Fraction:
    return left * right


def _power(node: Power) -> Fraction | None:
    exponent = rational(node.exponent)
    if exponent is None:
        return None
    base = rational(node.base)
    if base is None:
        return None
    if exponent == -1:
        if not base:
            raise Undefined("division by zero")
        return 1 / base
    if exponent.denominator != 1:
        return _perfect_root(base, exponent)
    if not base and exponent <= 0:
        raise Undefined("zero to a power of zero or less")
    if abs(base) not in (0, 1) and abs(exponent) * bits(base) > MAX_BITS:
        raise TooLarge("a power too large to compute")
    if abs(base) == 1:
        return base if exponent.numerator % 2 else Fraction(1)
    return base**exponent.numerator


def _perfect_root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """The square root of a perfect square; other roots are left to numerical evaluation."""
    if exponent.denominator != 2 or base < 0 or abs(exponent) > 64:
        return None
    upper, lower = math.isqrt(base.numerator), math.isqrt(base.denominator)
    if upper * upper != base.numerator or lower * lower != base.denominator:
        return None
    if not base and exponent < 0:
        raise Undefined("division by zero")
    return Fraction(upper, lower) ** exponent.numerator


def _factorial(values: list[Fraction]) -> Fraction:
    (value,) = values
    if value.denominator != 1 or value < 0:
        raise Undefined("a factorial of no natural number")
    if value > MAX_FACTORIAL:
        raise TooLarge("a factorial too large to compute")
    return Fraction(math.factorial(int(value)))


def _double_factorial(values: list[Fraction]) -> Fraction:
    (value,) = values
    if value.denominator != 1 or value < 0:
        raise Undefined("a double factorial of no natural number")
    if value > MAX_FACTORIAL:
        raise TooLarge("a factorial too large to compute")
    return Fraction(math.prod(range(int(value), 0, -2)))


def _binomial(values: list[Fraction]) -> Fraction:
    if len(values) != 2 or any(v.denominator != 1 or v < 0 for v in values):
        raise Undefined("a binomial of no natural numbers")
    n, k = int(values[0]), int(values[1])
    k = min(k, n - k) if k <= n else k
    if n > 10**9 or (k * n.bit_length() > MAX_BITS and k <= n):
        raise TooLarge("a binomial too large to compute")
    return Fraction(math.comb(n, k))


def _integers(values: list[Fraction]) -> list[int]:
    if any(value.denominator != 1 for value in values):
        raise Undefined("not an integer")
    return [int(value) for value in values]


def _modulo(values: list[Fraction]) -> Fraction:
    if len(values) != 2 or not values[1]:
        raise Undefined("a modulus of zero")
    return values[0] % values[1]


_CALLS: dict[str, Callable[[list[Fraction]], Fraction]] = {
    "percent": lambda values: values[0] / 100,
    "factorial": _factorial,
    "factorial2": _double_factorial,
    "binom": _binomial,
    "abs": lambda values: abs(values[0]),
    "floor": lambda values: Fraction(math.floor(values[0])),
    "ceil": lambda values: Fraction(math.ceil(values[0])),
    "gcd": lambda values: Fraction(math.gcd(*_integers(values))),
    "lcm": lambda values: Fraction(math.lcm(*_integers(values))),
    "max": max,
    "min": min,
    "mod": _modulo,
    "conj": lambda values: values[0],
    "sgn": lambda values: Fraction((values[0] > 0) - (values[0] < 0)),
}
