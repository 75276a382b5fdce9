"""Integrals, sums, products, limits and derivatives: what binds a variable."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.math.reading.expressions import ExpressionParser
from rewards.math.reading.lexer import Token
from rewards.math.tree import BigOperator, Node, Number


def read_big_operator(cursor: ExpressionParser) -> Node:
    r"""``\sum_{k=1}^{n} k``, and products, limits and integrals likewise."""
    name = cursor.take().text
    lower: Node | None = None
    upper: Node | None = None
    variable = ""
    for _ in range(2):
        if cursor.at("_"):
            cursor.position += 1
            if name == "int":
                lower = cursor.argument()
            else:
                variable, lower = _read_bound(cursor)
        elif cursor.at("^"):
            cursor.position += 1
            upper = cursor.exponent()
    if name == "int":
        return _read_integral(cursor, lower, upper)
    if not variable:
        cursor.fail("expected a bound variable")
    outer_names = cursor.bound_names
    cursor.bound_names = outer_names | {variable}  # i is an index here, not a constant
    body = cursor.term()
    cursor.bound_names = outer_names
    kind = {"sum": "sum", "prod": "product", "lim": "limit"}[name]
    return BigOperator(kind, variable, body, lower, upper)  # type: ignore[arg-type]


def _read_bound(cursor: ExpressionParser) -> tuple[str, Node]:
    r"""``{k=1}`` or ``{x \to 0}``."""
    cursor.expect("{")
    variable = cursor.take().text
    if not cursor.at("=", "->"):
        cursor.fail("expected a bound")
    cursor.position += 1
    value = cursor.sum()
    if cursor.at("^"):  # x -> 0^+
        cursor.position += 2
    cursor.expect("}")
    return variable, value


def _read_integral(cursor: ExpressionParser, lower: Node | None, upper: Node | None) -> Node:
    """The body and the differential of an integral, after its bounds."""
    _move_differential_behind_fraction(cursor)
    cursor.integrals += 1
    body: Node = Number(Fraction(1)) if cursor.at_differential() else cursor.sum()
    cursor.integrals -= 1
    if cursor.token.text == "d" and cursor.peek().kind == "name":
        cursor.position += 1
        variable = cursor.take().text
    elif (
        cursor.token.kind == "word" and len(cursor.token.text) == 2 and cursor.token.text[0] == "d"
    ):
        variable = cursor.take().text[1]
    else:
        raise cursor.failure("expected a differential")
    return BigOperator("integral", variable, body, lower, upper)


def _move_differential_behind_fraction(cursor: ExpressionParser) -> None:
    r"""Move the differential of ``\int \frac{dx}{x}`` behind the fraction."""
    if not cursor.at_command("frac") or cursor.peek().text != "{":
        return
    start = cursor.position + 1
    end = _closing_brace(cursor, start)
    inside = cursor.tokens[start + 1 : end]
    size = 1 if inside and re.fullmatch("d[a-z]", inside[-1].text) else 2
    differential = inside[-size:]
    if not re.fullmatch("d[a-z]", "".join(token.text for token in differential)):
        return
    last = _closing_brace(cursor, end + 1)
    one = [] if len(inside) > size else [Token("num", "1", Number(Fraction(1)))]
    cursor.tokens[last + 1 : last + 1] = differential
    cursor.tokens[end - size : end] = one
    cursor.limit += len(one)


def _closing_brace(cursor: ExpressionParser, start: int) -> int:
    """Index of the brace that closes the one at ``start``."""
    depth = 0
    for index in range(start, cursor.limit):
        text = cursor.tokens[index].text
        depth += (text == "{") - (text == "}")
        if depth == 0:
            return index
    raise cursor.failure("unbalanced braces")


def at_derivative(cursor: ExpressionParser) -> bool:
    r"""Whether the braces of ``\frac{d}{dx}`` stand here."""
    return cursor.at("{") and cursor.peek().text == "d" and cursor.peek(2).text == "}"


def read_derivative(cursor: ExpressionParser) -> Node:
    r"""``\frac{d}{dx} body``, after the command."""
    cursor.position += 3
    cursor.expect("{")
    if cursor.token.text == "d":
        cursor.position += 1
        variable = cursor.take().text
    else:
        variable = cursor.take().text.removeprefix("d")
    cursor.expect("}")
    return BigOperator("derivative", variable, cursor.factor())
