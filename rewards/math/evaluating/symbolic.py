"""SymPy as the last resort, in a worker process only, and only on trees, never on text."""

from __future__ import annotations

from typing import Any

from rewards import algebra
from rewards.errors import AnswerError
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

_RENAMED = {"ln": "log", "abs": "Abs", "binom": "binomial", "sgn": "sign", "ceil": "ceiling"}
_RENAMED |= {f"arc{f}": f"a{f}" for f in ("sin", "cos", "tan", "sec", "csc")}
_RENAMED |= {f"arc{f}": f"a{f}" for f in ("sinh", "cosh", "tanh")}
_RENAMED |= {"conj": "conjugate", "max": "Max", "min": "Min"}
_KNOWN = frozenset(
    ["sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "exp", "log"]
)
_KNOWN |= {"factorial", "floor", "gcd", "lcm", "re", "im", "arg", "cbrt"} | set(_RENAMED.values())


def warm_up() -> None:
    """Import SymPy and run its slow first calls: its modules load on use."""
    import sympy

    symbol = sympy.Symbol("x", real=True)
    sympy.solve_univariate_inequality(abs(symbol**2 - 2) < 1, symbol, relational=False)
    sympy.simplify(sympy.sin(symbol) ** 2 + sympy.Integral(symbol, (symbol, 0, 1)).doit())


def to_sympy(node: Node) -> Any:
    """Return ``node`` as a SymPy expression. Raises AnswerError for what SymPy has no word for."""
    import sympy

    if isinstance(node, Number):
        return sympy.Rational(node.value.numerator, node.value.denominator)
    if isinstance(node, Symbol):
        return sympy.Symbol(node.name, real=True)
    if isinstance(node, Constant):
        constants = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}
        return constants.get(node.name, 2 * sympy.pi)
    if isinstance(node, Sum):
        return sympy.Add(*map(to_sympy, node.terms))
    if isinstance(node, Product):
        return sympy.Mul(*map(to_sympy, node.factors))
    if isinstance(node, Power):
        return sympy.Pow(to_sympy(node.base), to_sympy(node.exponent))
    if isinstance(node, Call):
        return _call(node)
    if isinstance(node, BigOperator):
        return _big(node)
    raise AnswerError(f"no algebra for {type(node).__name__}")


def _call(node: Call) -> Any:
    import sympy

    arguments = [to_sympy(argument) for argument in node.arguments]
    if node.name == "percent":
        return arguments[0] / 100
    if node.name == "degree":
        return arguments[0] * sympy.pi / 180
    if node.name == "arccot":
        return sympy.pi / 2 - sympy.atan(*arguments)
    name = _RENAMED.get(node.name, node.name)
    if name not in _KNOWN:
        raise AnswerError(f"no algebra for {node.name}")
    return getattr(sympy, name)(*arguments)


def _big(node: BigOperator) -> Any:
    import sympy

    variable = sympy.Symbol(node.variable, real=True)
    body = to_sympy(node.body)
    lower = None if node.lower is None else to_sympy(node.lower)
    upper = None if node.upper is None else to_sympy(node.upper)
    if node.kind == "derivative":
        return sympy.Derivative(body, variable)
    if node.kind == "limit":
        return sympy.Limit(body, variable, lower)
    if node.kind == "integral":
        bounds = variable if lower is None else (variable, lower, upper)
        return sympy.Integral(body, bounds)
    operator = sympy.Sum if node.kind == "sum" else sympy.Product
    return operator(body, (variable, lower, upper))


def solution_set(relation_sides: tuple[Node, Node], operator: str, variable: str) -> Any:
    """Return the real solutions of an inequality in one variable, as a SymPy set.

    Raises AlgebraNeeded outside a worker, AnswerError for what SymPy has no word for.
    """
    algebra.require()
    import sympy

    symbol = sympy.Symbol(variable, real=True)
    left, right = (to_sympy(side) for side in relation_sides)
    kinds = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}
    relation = kinds[operator](left, right)
    if relation in (sympy.true, sympy.false):
        return sympy.S.Reals if relation == sympy.true else sympy.S.EmptySet
    return sympy.solve_univariate_inequality(relation, symbol, relational=False)
