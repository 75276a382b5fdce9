"""High-precision evaluation at points, with the cost of every step bounded before it.

Two expressions that agree to fifty digits at several random points are taken as equal
(Schwartz-Zippel in spirit); mpmath supplies the elementary functions. A private mpmath context
for each thread keeps precision from leaking between threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from rewards.errors import AlgebraNeeded
from rewards.math.evaluating.exact import TooLarge, Undefined, rational
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
)

DIGITS = 50
MAX_TERMS = 2_000
MAX_STEPS = 20_000
_MAX_ARGUMENT_BITS = 128
_MAX_LOG_POWER_BITS = 40

_local = threading.local()


class Unevaluable(Exception):
    """The node is no number at the point: a set, an open integral, an unknown function."""


def context() -> Any:
    """Return the mpmath context of this thread."""
    if not hasattr(_local, "context"):
        import mpmath

        _local.context = mpmath.mp.clone()
    return _local.context


def is_real(value: Any) -> bool:
    """Whether the imaginary part of an mpmath number is nothing beside its real part."""
    mp = context()
    return bool(abs(mp.im(value)) <= mp.mpf(10) ** (-DIGITS // 2) * (1 + abs(mp.re(value))))


class Evaluator:
    """Evaluates trees at a point: variable → mpmath number."""

    def __init__(self, point: Mapping[str, Any], digits: int = DIGITS) -> None:
        self._mp = context()
        self._mp.dps = digits
        self._point = dict(point)
        self._steps = 0
        self.left_reals = False  # an even root or a logarithm of a negative number was taken

    def value(self, node: Node) -> Any:
        """Return the value of ``node``. Raises Unevaluable, TooLarge, Undefined, AlgebraNeeded."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooLarge("too many steps to evaluate")
        method = _METHODS.get(type(node))
        if method is None:
            raise Unevaluable(type(node).__name__)
        return method(self, node)

    def _number(self, node: Number) -> Any:
        if node.value.denominator == 1:
            return self._mp.mpf(node.value.numerator)
        return self._mp.mpf(node.value.numerator) / node.value.denominator

    def _symbol(self, node: Symbol) -> Any:
        if node.name not in self._point:
            raise Unevaluable(node.name)
        return self._point[node.name]

    def _sum(self, node: Sum) -> Any:
        total = self._mp.mpf(0)
        for term in node.terms:
            total += self.value(term)
        return total

    def _product(self, node: Product) -> Any:
        total = self._mp.mpf(1)
        for factor in node.factors:
            total *= self.value(factor)
        return total

    def _constant(self, node: Constant) -> Any:
        name = node.name
        if name == "i":
            return self._mp.mpc(0, 1)
        if name == "oo":
            return self._mp.inf
        return {"pi": self._mp.pi, "e": self._mp.e, "tau": 2 * self._mp.pi}[name] * 1

    def _power(self, node: Power) -> Any:
        mp = self._mp
        base, exponent = self.value(node.base), self.value(node.exponent)
        if not mp.isfinite(base) or not mp.isfinite(exponent):
            raise Unevaluable("infinite power")
        if base == 0:
            if mp.re(exponent) <= 0:
                raise Undefined("zero to a power of zero or less")
            return mp.mpf(0)
        if exponent == -1:
            return 1 / base
        odd_root = _odd_root(node.exponent)
        if odd_root and mp.im(base) == 0 and mp.re(base) < 0:
            # The real odd root, as school mathematics reads it.
            return -mp.power(-base, exponent) if odd_root[0] % 2 else mp.power(-base, exponent)
        if mp.mag(exponent) + max(1, mp.mag(mp.log(abs(base)) or 1)) > _MAX_LOG_POWER_BITS:
            raise TooLarge("a power too large to compute")
        self.left_reals |= bool(mp.im(base) == 0 and mp.re(base) < 0 and not mp.isint(exponent))
        return mp.power(base, exponent)

    def _call(self, node: Call) -> Any:
        exact = rational(node) if node.name in _EXACT_ONLY else None
        if exact is not None:
            return self._mp.mpf(exact.numerator) / exact.denominator
        values = [self.value(argument) for argument in node.arguments]
        for value in values:
            if not self._mp.isfinite(value):
                raise Unevaluable("infinite argument")
            if self._mp.mag(value) > _MAX_ARGUMENT_BITS and value != 0:
                raise TooLarge("an argument too large to compute")
        function = _FUNCTIONS.get(node.name)
        if function is None:
            raise Unevaluable(node.name)
        if node.name in ("ln", "log"):
            self.left_reals |= bool(self._mp.re(values[0]) < 0)
        try:
            return function(self._mp, *values)
        except (ValueError, ZeroDivisionError, TypeError) as error:
            raise Undefined(f"{node.name} is undefined there") from error

    def _big(self, node: BigOperator) -> Any:
        if node.kind not in ("sum", "product") or node.lower is None or node.upper is None:
            raise AlgebraNeeded
        lower, upper = self.value(node.lower), self.value(node.upper)
        if not self._mp.isfinite(upper) or not self._mp.isfinite(lower):
            raise AlgebraNeeded
        if not self._mp.isint(lower) or not self._mp.isint(upper):
            raise Unevaluable("bounds that are no integers")
        if upper - lower > MAX_TERMS:
            raise AlgebraNeeded
        outer = self._point.get(node.variable)
        total = self._mp.mpf(0 if node.kind == "sum" else 1)
        for index in range(int(lower), int(upper) + 1):
            self._point[node.variable] = self._mp.mpf(index)
            term = self.value(node.body)
            total = total + term if node.kind == "sum" else total * term
        if outer is None:
            self._point.pop(node.variable, None)
        else:
            self._point[node.variable] = outer
        return total


_METHODS: dict[type[Node], Callable[[Evaluator, Any], Any]] = {
    Number: Evaluator._number,
    Symbol: Evaluator._symbol,
    Constant: Evaluator._constant,
    Sum: Evaluator._sum,
    Product: Evaluator._product,
    Power: Evaluator._power,
    Call: Evaluator._call,
    BigOperator: Evaluator._big,
}


def _odd_root(exponent: Node) -> tuple[int, int] | None:
    """Numerator and denominator of an exponent such as 1/3."""
    value = rational(exponent)
    if value is not None and value.denominator % 2 == 1 and value.denominator > 1:
        return value.numerator, value.denominator
    return None


def _log(mp: Any, value: Any, base: Any = None) -> Any:
    if value == 0 or base in (0, 1):
        raise ValueError("log of zero")
    return mp.log(value) if base is None else mp.log(value) / mp.log(base)


def _exp(mp: Any, value: Any) -> Any:
    if mp.mag(value) > _MAX_LOG_POWER_BITS and value != 0:
        raise TooLarge("a power too large to compute")
    return mp.exp(value)


def _factorial(mp: Any, value: Any) -> Any:
    if mp.mag(value) > 30 and value != 0:
        raise TooLarge("a factorial too large to compute")
    return mp.factorial(value)


def _binomial(mp: Any, n: Any, k: Any) -> Any:
    if max(mp.mag(n), mp.mag(k)) > 30:
        raise TooLarge("a binomial too large to compute")
    return mp.binomial(n, k)


def _real_only(name: str) -> Callable[..., Any]:
    def apply(mp: Any, *values: Any) -> Any:
        if any(mp.im(value) != 0 for value in values):
            raise ValueError(f"{name} of a complex number")
        reals = [mp.re(value) for value in values]
        if name in ("max", "min"):
            return max(reals) if name == "max" else min(reals)
        if name == "mod":
            return mp.fmod(*reals)
        if name == "sgn":
            return mp.sign(reals[0])
        # A value within rounding of an integer is that integer.
        nearest = mp.nint(reals[0])
        if abs(reals[0] - nearest) < mp.mpf(10) ** (5 - mp.dps):
            return nearest
        return mp.floor(reals[0]) if name == "floor" else mp.ceil(reals[0])

    return apply


def _plain(name: str) -> Callable[..., Any]:
    return lambda mp, value: getattr(mp, name)(value)


_EXACT_ONLY = frozenset(["gcd", "lcm", "factorial", "factorial2", "binom", "floor", "ceil", "mod"])
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _plain(name)
    for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech")
}
_FUNCTIONS |= {
    f"arc{name}": _plain(f"a{name}")
    for name in ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh")
}
_FUNCTIONS |= {name: _plain(name) for name in ("csch", "re", "im", "conj", "arg")}
# Continuous, from 0 to pi (ISO 80000-2), where mpmath's own jumps at zero.
_FUNCTIONS |= {"arccot": lambda mp, value: mp.pi / 2 - mp.atan(value)}
_FUNCTIONS |= {name: _real_only(name) for name in ("floor", "ceil", "max", "min", "mod", "sgn")}
_FUNCTIONS |= {
    "exp": _exp,
    "ln": _log,
    "log": _log,
    "abs": lambda mp, value: abs(value),
    "cbrt": lambda mp, value: mp.cbrt(value),
    "percent": lambda mp, value: value / 100,
    "degree": lambda mp, value: value * mp.pi / 180,
    "factorial": _factorial,
    "binom": _binomial,
}
