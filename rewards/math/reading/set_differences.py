r"""Differences of sets that are written with a minus sign: ``\mathbb{R} - \{0\}``."""

from __future__ import annotations

from rewards.math.tree import (
    MINUS_ONE,
    Bracket,
    Builder,
    NamedSet,
    Node,
    Product,
    SetOf,
    SetOperation,
)

_SETS = (NamedSet, SetOf, Builder, SetOperation)


def difference_of_sets(terms: list[Node]) -> Node | None:
    """Return the difference that ``terms`` of a sum are; None when they are no sets.

    Two brackets alone may be vectors, so at least one of a pair is a set in braces or by name.
    """
    node = terms[0]
    if not isinstance(node, (*_SETS, Bracket)):
        return None
    for term in terms[1:]:
        if not isinstance(term, Product) or len(term.factors) != 2:
            return None
        sign, taken = term.factors
        if sign != MINUS_ONE or not isinstance(taken, (*_SETS, Bracket)):
            return None
        if isinstance(node, Bracket) and isinstance(taken, Bracket):
            return None
        node = SetOperation("difference", node, taken)
    return node
