"""Letters and runs of letters: variables, constants, products of variables, words of scale."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import read_argument, read_exponent
from rewards.math.reading.letters import is_product_of_letters, letter_token
from rewards.math.reading.lexer import Token
from rewards.math.reading.unit_names import SCALE_WORDS
from rewards.math.tree import Call, Constant, Node, Number, Power, Product, Symbol, product_of

_COUNTED = re.compile(r"([CAP])_(\d{1,4})")


def read_symbol(cursor: Cursor) -> Node:
    """Read a variable, or ``C_5^2`` and ``A_5^2``: combinations and arrangements."""
    token = cursor.take()
    node = _read_subscript(cursor, token.text, Symbol(token.text))
    if not isinstance(node, Symbol) or not cursor.at("^"):
        return node
    match = _COUNTED.fullmatch(node.name)
    if match is None or not _at_whole_exponent(cursor):
        return node
    cursor.position += 1
    chosen = read_argument(cursor)
    among = Number(Fraction(match[2]))
    choices = Call("binom", (among, chosen))
    return choices if match[1] == "C" else Product((choices, Call("factorial", (chosen,))))


def _at_whole_exponent(cursor: Cursor) -> bool:
    """Whether the exponent here is a whole number, bare or in braces."""
    number = cursor.peek(2) if cursor.peek().text == "{" else cursor.peek()
    closed = cursor.peek().text != "{" or cursor.peek(3).text == "}"
    return closed and number.kind == "num" and number.text.isdigit()


def read_constant(cursor: Cursor) -> Node:
    """Read pi, e, i or infinity, or the letter i or e where a sum around it counts with it."""
    token = cursor.take()
    assert token.node is not None
    bound = token.text in cursor.bound_names
    return _read_subscript(cursor, token.text, Symbol(token.text) if bound else token.node)


def _read_subscript(cursor: Cursor, name: str, plain: Node) -> Node:
    """Read the subscript that stands here, for the variable ``name``; without one, ``plain``."""
    if not cursor.at("_"):
        return plain
    cursor.position += 1
    parts: list[str] = []
    if cursor.at("{"):
        depth = 0
        while True:
            depth += cursor.at("{") - cursor.at("}")
            if cursor.token.kind == "end":
                cursor.fail("unbalanced braces")
            parts.append(cursor.take().text)
            if depth == 0:
                break
        parts = parts[1:-1]
    else:
        parts.append(cursor.take().text)
    return Symbol(f"{name}_{''.join(parts)}")


def read_letters(cursor: Cursor) -> Node:
    """Read a run of letters: a word of scale (``million``) or a product of variables."""
    token = cursor.token
    if token.text in SCALE_WORDS:
        cursor.position += 1
        return Number(Fraction(SCALE_WORDS[token.text]))
    if not is_product_of_letters(token) and token.text != "at":  # a word, but not in v + at
        cursor.fail("expected a value")
    cursor.position += 1
    if cursor.at("^") and cursor.tokens[cursor.position - 2].text == "^":
        return _read_first_letter(cursor, token.text)
    factors: list[Node] = [
        Constant(letter) if letter in "ei" else Symbol(letter) for letter in token.text
    ]
    if cursor.at("_"):
        factors[-1] = _read_subscript(cursor, token.text[-1], factors[-1])
    if cursor.at("^"):  # the exponent belongs to the last letter
        cursor.position += 1
        factors[-1] = Power(factors[-1], read_exponent(cursor))
    return product_of(factors)


def _read_first_letter(cursor: Cursor, letters: str) -> Node:
    """Read ``e^xe^y`` as TeX does: the first of ``letters`` alone, the others are read next."""
    cursor.position -= 1
    cursor.tokens[cursor.position] = (
        Token("word", letters[1:]) if len(letters) > 2 else letter_token(letters[1])
    )
    return letter_token(letters[0]).node or Symbol(letters[0])
