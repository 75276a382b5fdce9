"""Expressions: from tokens to a tree, by precedence, with a bound on depth.

Which function reads a value is written in the cursor's grammar, so that brackets and commands,
which hold expressions themselves, need not be known here. Left out: anything that would need
evaluation to be understood. Ambiguities are read the usual way: ``a/bc`` from left to right, a
function's argument up to the next plus or function.
"""

from __future__ import annotations

from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.letters import is_product_of_letters
from rewards.math.reading.lexer import Token
from rewards.math.reading.mixed_numbers import read_mixed_number
from rewards.math.reading.postfixes import read_postfixes, read_raised_mark
from rewards.math.reading.set_differences import difference_of_sets
from rewards.math.reading.unit_names import SCALE_WORDS
from rewards.math.tree import (
    MINUS_ONE,
    Congruence,
    Node,
    Number,
    PlusMinus,
    Power,
    Sum,
    negated,
    product_of,
)


def read_sum(cursor: Cursor) -> Node:
    """Read terms with plus, minus and plus-minus between them."""
    cursor.descend()
    terms = [_read_signed_term(cursor)]
    while _at_sign(cursor):
        terms.append(_read_signed_term(cursor))
    cursor.depth -= 1
    if len(terms) == 1:
        return terms[0]
    return difference_of_sets(terms) or Sum(tuple(terms))


def _at_sign(cursor: Cursor) -> bool:
    return cursor.at("+", "-") or cursor.at_command("pm", "mp")


def _read_signed_term(cursor: Cursor) -> Node:
    negative = False
    while _at_sign(cursor):
        sign = cursor.take()
        if sign.kind == "cmd":
            operand = PlusMinus(read_term(cursor), sign.text == "mp")
            return negated(operand) if negative else operand
        negative ^= sign.text == "-"
    term = read_term(cursor)
    return negated(term) if negative else term


def read_term(cursor: Cursor) -> Node:
    """Read factors with explicit or implicit multiplication and division."""
    factors = [read_factor(cursor)]
    while True:
        if cursor.at("*"):
            cursor.position += 1
            factors.append(read_signed_factor(cursor))
        elif cursor.at("/"):
            cursor.position += 1
            factors.append(Power(read_signed_factor(cursor), MINUS_ONE))
        elif cursor.token.kind == "word" and cursor.token.text == "mod":
            if cursor.peek().kind != "num" or cursor.peek(2).kind != "end":
                return product_of(factors)
            cursor.position += 1
            factors = [Congruence(None, product_of(factors), read_factor(cursor))]
        elif starts_factor(cursor):
            factors.append(read_factor(cursor))
        else:
            return product_of(factors)


def read_signed_factor(cursor: Cursor) -> Node:
    """Read a factor that may carry its own sign (``2 * -3``)."""
    if cursor.at("-"):
        cursor.position += 1
        return negated(read_signed_factor(cursor))
    if cursor.at("+"):
        cursor.position += 1
    return read_factor(cursor)


def starts_factor(cursor: Cursor) -> bool:
    """Whether implicit multiplication goes on here."""
    token = cursor.token
    if token.kind == "num":
        return cursor.tokens[cursor.position - 1].kind != "num"
    if token.kind == "name":
        return not at_differential(cursor)
    if token.kind in ("const", "func"):
        return True
    if token.kind == "word":
        return not at_differential(cursor) and (
            is_product_of_letters(token) or token.text in SCALE_WORDS
        )
    if token.kind == "op":
        if token.text == "(" and cursor.peek().text in ("mod", "bmod"):
            return False
        return token.text in ("(", "[", "{") or (token.text == "|" and cursor.bars == 0)
    return token.kind == "cmd" and token.text in cursor.grammar.commands


def at_differential(cursor: Cursor) -> bool:
    """Whether the ``dx`` of an open integral stands here."""
    if cursor.integrals == 0:
        return False
    token = cursor.token
    if token.kind == "word":
        return len(token.text) == 2 and token.text[0] == "d"
    return token.text == "d" and cursor.peek().kind == "name"


def read_factor(cursor: Cursor) -> Node:
    """Read a value with its postfixes and exponent."""
    mixed = read_mixed_number(cursor)
    if mixed is not None:
        return read_postfixes(cursor, mixed)
    node = read_postfixes(cursor, read_primary(cursor))
    if not cursor.at("^"):
        return node
    cursor.position += 1
    marked = read_raised_mark(cursor, node)
    if marked is not None:
        return read_postfixes(cursor, marked)
    node = read_postfixes(cursor, Power(node, read_exponent(cursor)))
    if cursor.at("^"):
        cursor.position += 1
        node = Power(node, read_exponent(cursor))
    return node


def read_exponent(cursor: Cursor) -> Node:
    """Read what stands after a caret."""
    if cursor.at("-", "+"):
        negative = cursor.take().text == "-"
        exponent = read_exponent(cursor)
        return negated(exponent) if negative else exponent
    node = read_postfixes(cursor, read_primary(cursor))
    if cursor.at("^") and cursor.tokens[cursor.position - 1].text != "}":
        cursor.position += 1
        node = Power(node, read_exponent(cursor))  # a^b^c is a^(b^c)
    return node


def read_argument(cursor: Cursor) -> Node:
    r"""Read an argument of a command: a braced group or one token (``\frac12``)."""
    token = cursor.token
    if token.kind == "num" and len(token.text) > 1 and token.text.isdigit():
        # LaTeX takes one digit; the rest stays for the next argument.
        rest = Token("num", token.text[1:], Number(Fraction(token.text[1:])))
        cursor.tokens[cursor.position] = rest
        return Number(Fraction(token.text[0]))
    if token.kind == "cmd" and token.text not in cursor.grammar.commands:
        cursor.fail("expected an argument")
    return read_primary(cursor)


def read_primary(cursor: Cursor) -> Node:
    """Read a value without what may follow it, by the function that the grammar names."""
    token = cursor.token
    if token.kind == "op":
        reader = cursor.grammar.operators.get(token.text)
    elif token.kind == "cmd":
        reader = cursor.grammar.commands.get(token.text)
    else:
        reader = cursor.grammar.kinds.get(token.kind)
    if reader is None:
        cursor.fail("unknown command" if token.kind == "cmd" else "expected a value")
    return reader(cursor)
