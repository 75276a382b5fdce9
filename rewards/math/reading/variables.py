"""Letters that may be units: what a reference takes them for, for its answers too.

``5 m`` is a quantity and ``3 m/2 - 1`` an expression; the reference decides. Its letters are
variables when it is no plain quantity: when a value with a unit stands inside a sum, a product,
a power or a fraction, when it has other letters as factors, or when its units side by side make
no unit that is in use (``2 g h``).
"""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.reading.answers import parse
from rewards.math.reading.cleaning import clean
from rewards.math.reading.letter_runs import may_be_product
from rewards.math.reading.lexer import PLAIN_READING, Reading, tokenize
from rewards.math.tree import (
    Bracket,
    Listing,
    Node,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    Symbol,
    symbols,
    walk,
)

# Units that are written side by side.
_IN_USE = frozenset(
    frozenset(pair.split())
    for pair in (
        "newton meter",
        "ampere hour",
        "volt ampere",
        "watt hour",
        "watt second",
        "newton second",
        "ampere second",
        "joule second",
        "pascal second",
        "coulomb meter",
        "gram meter",
    )
)


def readings_of_reference(text: str) -> list[tuple[Node, frozenset[str]]]:
    """Return the trees that a reference may be, each with the variables of its answers.

    There are two for a plain quantity whose unit is a letter: as a quantity, and as a product.

    Raises AnswerError.
    """
    letters = _letters(text)
    if not letters:
        return [(parse(text), frozenset())]
    plain, problem = _try(text, PLAIN_READING)
    lettered, _ = _try(text, Reading(variables=letters))
    if plain is None and lettered is None:
        assert problem is not None
        raise problem
    if plain is None or lettered is None or plain == lettered:
        node = plain or lettered
        assert node is not None
        return [(node, _variables(node))]
    if _is_quantity(plain):
        return [(plain, frozenset()), (lettered, _variables(lettered))]
    return [(lettered, _variables(lettered))]


def _try(text: str, reading: Reading) -> tuple[Node | None, AnswerError | None]:
    try:
        return parse(text, reading), None
    except AnswerError as error:
        return None, error


def _letters(text: str) -> frozenset[str]:
    """The letters that stand alone or in short runs in ``text``."""
    try:
        tokens = tokenize(clean(text), PLAIN_READING)
    except AnswerError:
        return frozenset()
    runs = [
        token.text
        for token in tokens
        if not token.upright
        and (token.kind == "name" or (token.kind == "word" and may_be_product(token.text)))
    ]
    return frozenset(letter for run in runs for letter in run if run.isascii() and len(run) <= 3)


def _variables(node: Node) -> frozenset[str]:
    """The letters in the values of ``node``; a lone label such as the x of ``x = 5`` is none."""
    if isinstance(node, Relation) and isinstance(node.sides[0], Symbol):
        found = frozenset[str]().union(*map(symbols, node.sides[1:]))
    elif isinstance(node, Listing):
        found = frozenset[str]().union(*map(_variables, node.items))
    else:
        found = symbols(node)
    return frozenset(name for name in found if len(name) == 1)


def _is_quantity(node: Node) -> bool:
    """Whether ``node`` holds values with units and nothing else that has letters."""
    if isinstance(node, Relation):
        return _is_quantity(node.sides[-1])
    if isinstance(node, Listing | Bracket | SetOf):
        return all(map(_is_quantity, node.items))
    if isinstance(node, Ratio):
        return all(map(_is_quantity, node.parts))
    if isinstance(node, Quantity):
        in_use = len(node.unit) < 2 or any(exponent < 0 for _, exponent in node.unit)
        in_use = in_use or frozenset(name for name, _ in node.unit) in _IN_USE
        return in_use and _has_no_letters(node.value)
    return _has_no_letters(node)


def _has_no_letters(node: Node) -> bool:
    return not any(isinstance(part, Symbol | Quantity) for part in walk(node))
