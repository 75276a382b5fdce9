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
    SetOperation,
    Symbol,
    negated,
)


def read_named_set(cursor: Cursor) -> Node:
    r"""Read ``\mathbb{R}`` and the like, or a part of it such as ``\mathbb{R}^+``."""
    name = cursor.take().text
    part, num_tokens = _part_of_set(cursor)
    if part is None:
        return NamedSet(name)
    cursor.position += num_tokens
    infinity = Constant("oo")
    if name == "R" and part == "0<=":
        return Bracket("[", ")", (ZERO, infinity))
    if name == "R" and part == "*":
        return SetOperation("difference", NamedSet("R"), SetOf((ZERO,)))
    if name == "R" and part in ("0<", "-"):
        ends = (ZERO, infinity) if part == "0<" else (negated(infinity), ZERO)
        return Bracket("(", ")", ends)
    if name in "NZ" and part in ("0<", "0<="):
        return NamedSet("N+" if part == "0<" else "N0")
    if name == "N" and part == "*":
        return NamedSet("N+")
    return NamedSet(name + part)


# What is written above or below the name of a set → which of its numbers are left.
_PARTS = {"+": "0<", "-": "-", "*": "*", "0": "0<=", ">0": "0<", ">=0": "0<=", ">=1": "0<"}


def _part_of_set(cursor: Cursor) -> tuple[str | None, int]:
    r"""Which part of a set stands here, after ``^`` or ``_``, bare or in braces, and its tokens.

    None where a power follows the name (``\mathbb{R}^2``) or nothing.
    """
    if cursor.token.text not in ("^", "_"):
        return None, 0
    if cursor.peek().text != "{":
        return _PARTS.get(cursor.peek().text), 2
    texts = [cursor.peek(2 + index).text for index in range(3)]
    if "}" not in texts:
        return None, 0
    inside = texts[: texts.index("}")]
    return _PARTS.get("".join(inside)), 3 + len(inside)


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
