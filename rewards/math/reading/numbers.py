"""Numbers, also those in another base: ``101_2``."""

from __future__ import annotations

from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import read_argument
from rewards.math.tree import Node, Number


def read_number(cursor: Cursor) -> Node:
    """Read a number, in the base of its subscript if it has one."""
    token = cursor.take()
    node = token.node
    assert isinstance(node, Number)
    return read_base(cursor, node, token.text) if cursor.at("_") else node


def read_base(cursor: Cursor, node: Number, digits: str) -> Node:
    """Read the subscript of ``node``; return the number that ``digits`` write in that base.

    Raises AnswerError for what is no base, or for digits that it does not have.
    """
    cursor.expect("_")
    base = read_argument(cursor)
    if not isinstance(base, Number) or not 2 <= base.value <= 36 or node.places:
        raise AnswerError("not a base")
    try:
        return Number(Fraction(int(digits, int(base.value))), base=int(base.value))
    except ValueError as error:
        raise AnswerError("digits beyond the base") from error
