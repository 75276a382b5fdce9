r"""A whole number with a proper fraction after it: ``1\frac{1}{2}`` and ``1 1/2``."""

from __future__ import annotations

from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.tree import Node, Number


def read_mixed_number(cursor: Cursor) -> Node | None:
    """Read the mixed number that begins here, as one number; None when there is none."""
    whole = cursor.token.node
    if cursor.token.kind != "num" or not isinstance(whole, Number) or whole.places:
        return None
    following = cursor.peek()
    if following.kind == "cmd" and following.text == "frac":
        upper, lower, num_tokens = _plain_fraction(cursor)
    elif following.kind == "num" and following.spaced and cursor.peek(2).text == "/":
        upper, lower, num_tokens = following.node, cursor.peek(3).node, 4
    else:
        return None
    if not isinstance(upper, Number) or not isinstance(lower, Number):
        return None
    if upper.places or lower.places or not 0 < upper.value < lower.value:
        return None
    cursor.position += num_tokens
    return Number(whole.value + upper.value / lower.value)


def _plain_fraction(cursor: Cursor) -> tuple[Node | None, Node | None, int]:
    r"""Numerator and denominator of ``\frac{a}{b}`` or ``\frac12``, and where that ends.

    The end is counted in tokens from the whole number. Both are None for other fractions.
    """
    shape = [cursor.peek(2 + index) for index in range(6)]
    texts = [token.text for token in shape]
    if (texts[0], texts[2], texts[3], texts[5]) == ("{", "}", "{", "}"):
        return shape[1].node, shape[4].node, 8
    if len(texts[0]) == 2 and texts[0].isdigit():
        upper, lower = (Number(Fraction(digit)) for digit in texts[0])
        return upper, lower, 3
    return None, None, 0
