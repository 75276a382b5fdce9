"""Sets by name, and sets in braces: their elements, or a condition on them."""

from __future__ import annotations

from rewards.math.reading.clauses import read_items, read_listing
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.ellipsis import filled_in
from rewards.math.tree import (
    ZERO,
    Bracket,
    Builder,
    Constant,
    Listing,
    NamedSet,
    Node,
    Relation,
    SetOf,
    Symbol,
    negated,
)


def read_named_set(cursor: Cursor) -> Node:
    r"""Read ``\mathbb{R}`` and the like, or a half line such as ``\mathbb{R}^+``."""
    if cursor.token.text == "R" and _at_half_line(cursor):
        return _read_half_line(cursor)
    return NamedSet(cursor.take().text)


def _at_half_line(cursor: Cursor) -> bool:
    r"""Whether ``\mathbb{R}^+`` stands here, the sign bare or in braces."""
    sign = cursor.peek(3) if cursor.peek(2).text == "{" else cursor.peek(2)
    return cursor.peek().text in ("^", "_") and sign.text in ("+", "-")


def _read_half_line(cursor: Cursor) -> Node:
    braced = cursor.peek(2).text == "{"
    positive = cursor.peek(3 if braced else 2).text == "+"
    cursor.position += 5 if braced else 3
    infinity = Constant("oo")
    ends = (ZERO, infinity) if positive else (negated(infinity), ZERO)
    return Bracket("(", ")", ends)


def read_braced_set(cursor: Cursor) -> Node:
    r"""Read ``\{1, 2\}`` or ``\{x \mid x > 1\}``, with its braces."""
    cursor.position += 1
    if cursor.at_command("}"):
        cursor.position += 1
        return NamedSet("")
    builder = _pass_builder_head(cursor)
    if builder is None:
        items = read_items(cursor)
        node: Node = SetOf(filled_in(items))
    else:
        variable, domain = builder
        condition = read_listing(cursor)
        if domain is not None:
            condition = Listing("and", (condition, domain))
        node = Builder(variable, condition)
    if not cursor.at_command("}"):
        cursor.fail("expected a closing brace")
    cursor.position += 1
    return node


def _pass_builder_head(cursor: Cursor) -> tuple[str, Node | None] | None:
    r"""Pass over ``x \mid`` or ``x \in \mathbb{R} :``; return the variable and its domain."""
    if cursor.token.kind != "name":
        return None
    if cursor.peek().text in ("|", ":"):
        variable = cursor.take().text
        cursor.position += 1
        return variable, None
    if cursor.peek().text == "in" and cursor.peek(2).kind in ("set", "name"):
        if cursor.peek(3).text not in ("|", ":"):
            return None
        variable, name = cursor.token.text, cursor.peek(2).text
        cursor.position += 4
        return variable, Relation(("in",), (Symbol(variable), NamedSet(name)))
    return None
