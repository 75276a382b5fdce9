"""Functions and roots applied to their arguments."""

from __future__ import annotations

from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import (
    read_argument,
    read_exponent,
    read_factor,
    read_primary,
    read_signed_factor,
    read_sum,
    starts_factor,
)
from rewards.math.reading.postfixes import read_postfixes
from rewards.math.tree import (
    MINUS_ONE,
    Bracket,
    Call,
    Node,
    Number,
    Power,
    Quantity,
    product_of,
    root_of,
)

_INVERSE = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"}


def read_function(cursor: Cursor) -> Node:
    """Read a function with its base, power and arguments."""
    name = cursor.take().text
    if name == "sqrt":
        return _read_root(cursor)
    if name == "binom" and not cursor.at("("):
        return Call("binom", (read_argument(cursor), read_argument(cursor)))
    base: Node | None = None
    power: Node | None = None
    for _ in range(2):
        if cursor.at("_"):
            cursor.position += 1
            base = read_argument(cursor)
        elif cursor.at("^"):
            cursor.position += 1
            power = read_exponent(cursor)
    if name == "lg":
        name, base = "log", Number(Fraction(10))
    if power == MINUS_ONE and name in _INVERSE:
        name, power = "arc" + name, None
    arguments = _read_arguments(cursor)
    if base is not None:
        arguments = (*arguments, base)
    node: Node = Call(name, arguments)
    return node if power is None else Power(node, power)


def _read_arguments(cursor: Cursor) -> tuple[Node, ...]:
    """Read what stands in brackets or braces after a function, or else one bare argument."""
    if cursor.at("("):
        node = _in_radians(read_primary(cursor))
        is_tuple = isinstance(node, Bracket) and node.opening == "(" and node.closing == ")"
        return node.items if isinstance(node, Bracket) and is_tuple else (node,)
    if cursor.at("{"):
        return (_in_radians(read_primary(cursor)),)
    return (_read_bare_argument(cursor),)


def _read_bare_argument(cursor: Cursor) -> Node:
    r"""Read the argument of ``\sin 2x``: implicit factors, up to the next function."""
    cursor.descend()
    factors = [read_signed_factor(cursor)]
    while starts_factor(cursor) and cursor.token.kind != "func" and not cursor.at("(", "["):
        factors.append(read_factor(cursor))
    if cursor.at("/") and _is_plain_fraction_tail(cursor):
        cursor.position += 1
        factors.append(Power(read_factor(cursor), MINUS_ONE))
    cursor.depth -= 1
    return product_of(factors)


def _is_plain_fraction_tail(cursor: Cursor) -> bool:
    """``sin pi/3``: a number right after the slash belongs to the argument."""
    return cursor.peek().kind == "num" and not cursor.token.spaced


def _read_root(cursor: Cursor) -> Node:
    r"""Read what follows the name in ``\sqrt[3]{x}`` and ``\sqrt x``."""
    degree: Node = Number(Fraction(2))
    if cursor.at("["):
        cursor.position += 1
        degree = read_sum(cursor)
        cursor.expect("]")
    braced = cursor.at("{")
    radicand = read_primary(cursor)
    if not braced and cursor.at("!"):
        radicand = read_postfixes(cursor, radicand)
    return root_of(radicand, degree)


def read_root_sign(cursor: Cursor) -> Node:
    """Read ``√x`` and ``∛x``, which cleaning has made commands."""
    name = cursor.take().text
    return root_of(read_primary(cursor), Number(Fraction(3 if name == "cbrt" else 2)))


def _in_radians(node: Node) -> Node:
    """``60°`` as a value, for the functions of angles."""
    if isinstance(node, Quantity) and node.unit == (("degree", Fraction(1)),):
        return Call("degree", (node.value,))
    return node
