"""What stands between brackets, braces or bars: groupings, tuples, intervals, absolute values."""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.reading.clauses import read_items
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.ellipsis import filled_in
from rewards.math.reading.expressions import read_sum
from rewards.math.reading.numbers import read_base
from rewards.math.tree import Bracket, Call, NamedSet, Node, Number, SetOf

_CLOSING = {"(": ")", "[": "]"}


def read_bracket(cursor: Cursor) -> Node:
    """Read a grouping, a tuple, a list or an interval in ``(`` or ``[``."""
    opening = cursor.take().text
    if cursor.at(")", "]"):
        cursor.fail("empty brackets")
    bars, cursor.bars = cursor.bars, 0
    items = read_items(cursor)
    cursor.bars = bars
    if not cursor.at(")", "]"):
        cursor.fail("expected a closing bracket")
    closing = cursor.take().text
    if len(items) == 1 and _CLOSING[opening] == closing:
        if cursor.at("_") and isinstance(items[0], Number):
            return read_base(cursor, items[0], cursor.tokens[cursor.position - 2].text)
        return items[0]
    if len(items) == 1:
        raise AnswerError("mismatched brackets")
    return Bracket(opening, closing, items)


def read_group(cursor: Cursor) -> Node:
    """Read a group in braces: one value, or a set where commas stand inside."""
    cursor.expect("{")
    if cursor.at("}"):
        cursor.position += 1
        return NamedSet("")
    bars, cursor.bars = cursor.bars, 0
    items = read_items(cursor)
    if cursor.at_command("choose"):
        cursor.position += 1
        items = (Call("binom", (*items, read_sum(cursor))),)
    cursor.bars = bars
    cursor.expect("}")
    return items[0] if len(items) == 1 else SetOf(filled_in(items))


def read_angled(cursor: Cursor) -> Node:
    r"""Read a vector in angle brackets, ``\langle 1, 2 \rangle``."""
    cursor.position += 1
    items = read_items(cursor)
    if not cursor.at_command("rangle"):
        cursor.fail("expected a closing bracket")
    cursor.position += 1
    return items[0] if len(items) == 1 else Bracket("(", ")", items)


def read_absolute(cursor: Cursor) -> Node:
    """Read an absolute value between bars."""
    cursor.expect("|")
    cursor.bars += 1
    node = read_sum(cursor)
    cursor.bars -= 1
    cursor.expect("|")
    return Call("abs", (node,))
