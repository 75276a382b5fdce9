"""From the text of a whole answer to its tree."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.reading.clauses import read_listing
from rewards.math.reading.cleaning import clean, strip_phrases
from rewards.math.reading.compound import compound_quantity
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.grammar import GRAMMAR
from rewards.math.reading.lexer import PLAIN_READING, Reading, tokenize
from rewards.math.reading.limits import MAX_CHARACTERS, MAX_HEIGHT, MAX_NODES, BeyondLimits
from rewards.math.tree import (
    Node,
    Number,
    height,
    walk,
)

_BASED = re.compile(
    r"\(?([0-9][0-9A-Fa-f]*|[A-F]{1,16}(?=\)?_\{?16)|[A-Fa-f][0-9A-Fa-f]*[0-9][0-9A-Fa-f]*)\)?_\{?(?:\\text\{)?(\d{1,2}|[a-z]+)\}{0,2}"
)
_BASE_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_BASE_WORDS |= {"nine": 9, "ten": 10}
_BASE_WORDS |= {"twelve": 12, "sixteen": 16, "bin": 2, "oct": 8, "hex": 16, "dec": 10}
_APPROXIMATELY = re.compile(
    r"^(?:approximately|approx\.?|about|roughly|around|大约|约为|约)\s*(?=[-\d\\$.])", re.IGNORECASE
)


def parse(text: str, reading: Reading = PLAIN_READING) -> Node:
    """Read a whole answer into a tree.

    Raises AnswerError for a text that is no answer, BeyondLimits for one that is too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise BeyondLimits(f"longer than {MAX_CHARACTERS} characters")
    cleaned = _APPROXIMATELY.sub(r"\\approx ", strip_phrases(clean(text)))
    based = _BASED.fullmatch(cleaned)
    if based:
        return _in_base(*based.groups())
    compound = compound_quantity(cleaned)
    if compound is not None:
        return compound
    cursor = Cursor(tokenize(cleaned, reading), GRAMMAR, reading.variables)
    try:
        node = _read_to_the_end(cursor)
    except RecursionError as error:
        raise BeyondLimits("nested too deep") from error
    num_nodes = sum(1 for _ in walk(node))
    if num_nodes > MAX_NODES:
        raise BeyondLimits(f"more than {MAX_NODES} nodes")
    if num_nodes > MAX_HEIGHT and height(node) > MAX_HEIGHT:
        raise BeyondLimits(f"nested deeper than {MAX_HEIGHT}")
    return node


def _read_to_the_end(cursor: Cursor) -> Node:
    node = read_listing(cursor)
    if cursor.token.kind != "end":
        cursor.fail("expected the end")
    return node


def _in_base(digits: str, base_text: str) -> Node:
    base = int(base_text) if base_text.isdigit() else _BASE_WORDS.get(base_text, 0)
    if not 2 <= base <= 36:
        raise AnswerError(f"not a base: {base_text}")
    try:
        return Number(Fraction(int(digits, base)), base=base)
    except ValueError as error:
        raise AnswerError(f"digits beyond base {base}") from error
