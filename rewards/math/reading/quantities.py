"""One operand of a clause: words, or an expression with a unit, a currency or a ratio sign."""

from __future__ import annotations

from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import read_sum
from rewards.math.reading.lexer import Token
from rewards.math.reading.unit_names import CURRENCY_SIGNS, UNITS
from rewards.math.reading.unit_parsing import TrailingUnit, trailing_unit
from rewards.math.tree import (
    Bracket,
    Constant,
    Matrix,
    NamedSet,
    Node,
    Quantity,
    Ratio,
    SetOf,
    Words,
)
from rewards.text import english

# Inside a fraction or a root these are names of segments.
_SEGMENTS = frozenset(["NO"])


def read_words(cursor: Cursor, end: int) -> Words | None:
    """Read text, when nothing but words stands before the index ``end``; else None."""
    tokens = cursor.tokens[cursor.position : end]
    if not tokens or any(token.kind not in ("word", "name", "num", "op") for token in tokens):
        return None
    words = [token for token in tokens if token.kind == "word"]
    if not words or tokens[0].kind != "word":
        return None
    if not all(t.kind in ("word", "name") or t.text in ("'", "-", "_", '"') for t in tokens):
        return None
    if words[0].text in CURRENCY_SIGNS or not any(_is_word(token) for token in words):
        return None
    if cursor.depth and len(tokens) == 1 and tokens[0].text in _SEGMENTS:
        return None
    cursor.position = end
    text = " ".join(token.text for token in tokens if token.text not in ("'", '"', "_", "-"))
    return Words(text.lower())


def read_quantity(cursor: Cursor) -> Node:
    """Read an expression with a unit or a counted noun after it, or a currency before it."""
    currency = ""
    sign = 1 if cursor.at("-") and cursor.peek().text in CURRENCY_SIGNS else 0
    if cursor.tokens[cursor.position + sign].text in CURRENCY_SIGNS:
        currency = UNITS[cursor.tokens[cursor.position + sign].text]
        del cursor.tokens[cursor.position + sign]
        cursor.limit -= 1
    unit = trailing_unit(cursor.tokens[cursor.position : cursor.limit], cursor.variables)
    outer_limit = cursor.limit
    cursor.limit -= unit.num_tokens
    node = _read_ratio(cursor)
    if cursor.position < cursor.limit:
        cursor.fail("expected an operator")
    cursor.limit = outer_limit
    cursor.position += unit.num_tokens
    return _with_unit(node, unit, currency)


def _read_ratio(cursor: Cursor) -> Node:
    parts = [read_sum(cursor)]
    while cursor.at(":") or (cursor.token.kind == "word" and cursor.token.text == "to"):
        cursor.position += 1
        parts.append(read_sum(cursor))
    return parts[0] if len(parts) == 1 else Ratio(tuple(parts))


def _is_word(token: Token) -> bool:
    """Whether a word token is text rather than a product of variables."""
    text = token.text.lower()
    return (
        token.upright
        or len(text) > 3
        or text in ("yes", "no", "dne")
        or english.number(text) is not None
    )


def _with_unit(node: Node, unit: TrailingUnit, currency: str) -> Node:
    factors = unit.factors
    if currency and not factors:
        factors = ((currency, Fraction(1)),)
    if not factors and not unit.noun:
        return node
    if isinstance(node, NamedSet | SetOf | Bracket | Matrix | Constant):
        return node
    return Quantity(node, factors, unit.noun)
