"""Integrals, sums, products, limits and derivatives: what binds a variable."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import (
    at_differential,
    read_argument,
    read_exponent,
    read_factor,
    read_sum,
    read_term,
)
from rewards.math.reading.lexer import Token
from rewards.math.tree import BigOperator, Node, Number


def read_big_operator(cursor: Cursor) -> Node:
    r"""Read ``\sum_{k=1}^{n} k``, or a product, a limit or an integral."""
    name = cursor.take().text
    lower: Node | None = None
    upper: Node | None = None
    variable = ""
    for _ in range(2):
        if cursor.at("_"):
            cursor.position += 1
            if name == "int":
                lower = read_argument(cursor)
            else:
                variable, lower = _read_bound(cursor)
        elif cursor.at("^"):
            cursor.position += 1
            upper = read_exponent(cursor)
    if name == "int":
        return _read_integral(cursor, lower, upper)
    if not variable:
        cursor.fail("expected a bound variable")
    outer_names = cursor.bound_names
    cursor.bound_names = outer_names | {variable}  # i is an index here, not a constant
    body = read_term(cursor)
    cursor.bound_names = outer_names
    kind = {"sum": "sum", "prod": "product", "lim": "limit"}[name]
    return BigOperator(kind, variable, body, lower, upper)  # type: ignore[arg-type]


def _read_bound(cursor: Cursor) -> tuple[str, Node]:
    r"""``{k=1}`` or ``{x \to 0}``."""
    cursor.expect("{")
    variable = cursor.take().text
    if not cursor.at("=", "->"):
        cursor.fail("expected a bound")
    cursor.position += 1
    value = read_sum(cursor)
    if cursor.at("^"):  # x -> 0^+
        cursor.position += 2
    cursor.expect("}")
    return variable, value


def _read_integral(cursor: Cursor, lower: Node | None, upper: Node | None) -> Node:
    """Read the body and the differential of an integral, after its bounds."""
    _move_differential_behind_fraction(cursor)
    cursor.integrals += 1
    body: Node = Number(Fraction(1)) if at_differential(cursor) else read_sum(cursor)
    if not at_differential(cursor):
        cursor.fail("expected a differential")
    cursor.integrals -= 1
    text = cursor.take().text
    variable = text[1] if len(text) == 2 else cursor.take().text
    return BigOperator("integral", variable, body, lower, upper)


def _move_differential_behind_fraction(cursor: Cursor) -> None:
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


def _closing_brace(cursor: Cursor, start: int) -> int:
    """Return the index of the brace that closes the one at ``start``."""
    depth, index = 0, start
    while True:
        if index >= cursor.limit:
            cursor.fail("unbalanced braces")
        text = cursor.tokens[index].text
        depth += (text == "{") - (text == "}")
        if depth == 0:
            return index
        index += 1


def at_derivative(cursor: Cursor) -> bool:
    r"""Whether the braces of ``\frac{d}{dx}`` stand here."""
    return cursor.at("{") and cursor.peek().text == "d" and cursor.peek(2).text == "}"


def read_derivative(cursor: Cursor) -> Node:
    r"""Read what follows the command in ``\frac{d}{dx} x^2``."""
    cursor.position += 3
    cursor.expect("{")
    if cursor.token.text == "d":
        cursor.position += 1
        variable = cursor.take().text
    else:
        variable = cursor.take().text.removeprefix("d")
    cursor.expect("}")
    return BigOperator("derivative", variable, read_factor(cursor))
