"""Whether two answers say the same of their letters, and one letter for what both leave open."""

from __future__ import annotations

import re

from rewards.errors import AnswerError
from rewards.math.comparing.equations import is_label
from rewards.math.comparing.regions import is_region
from rewards.math.evaluating.intervals import same_set
from rewards.math.evaluating.real_sets import NotARealSet, real_set
from rewards.math.reading.answers import parse
from rewards.math.reading.riders import INTEGER_DOMAINS, Riders
from rewards.math.tree import Listing, Node, Relation, symbols, with_symbol_renamed

_COUNTING = re.compile(r"[kKnmlNMij] ?(?:>=? ?0|>= ?1)")
_NATURAL = frozenset(["N", "N0", "N+"])


def same_riders(reference: Riders, answer: Riders, node: Node) -> bool:
    """Whether what an answer says of its letters is compatible with what the reference says.

    node: the reference. A set that one side does not name is taken for granted. Sets of natural
    numbers are left to the comparison of the values, because they may be counted from another
    start. An inequality may be missing in an answer whose reference is a formula (``y = …``); an
    answer may not add one, except to leave out single values, or to say where counting starts.
    """
    if reference == answer:
        return True
    expected, found = reference.domains, answer.domains
    pairs = [(kind, found[name]) for name, kind in expected.items() if name in found]
    if not pairs and len(expected) == len(found) == 1:
        pairs = list(zip(expected.values(), found.values(), strict=True))
    if not all(_compatible(one, other) for one, other in pairs):
        return False
    wanted, added = (
        [text for text in side.conditions if not _COUNTING.fullmatch(text)]
        for side in (reference, answer)
    )
    if wanted and added:
        return _same_conditions(wanted, added)
    if wanted:
        return not reference.parameters and _is_formula(node)
    return not added or (not answer.parameters and all("!=" in text for text in added))


def _compatible(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return True
    return one in _NATURAL and other in _NATURAL


def _is_formula(node: Node) -> bool:
    """Whether ``node`` is a value with or without a label, not an equation of a curve."""
    if not isinstance(node, Relation) or node.operators != ("=",):
        return True
    return is_label(node.sides[0], node.sides[-1])


def _same_conditions(expected: list[str], found: list[str]) -> bool:
    if sorted(expected) == sorted(found):
        return True
    try:
        one, other = (parse(" and ".join(conditions)) for conditions in (expected, found))
        if len(symbols(one)) != 1 or len(symbols(other)) != 1:
            return False
        return same_set(real_set(one), real_set(other))
    except (AnswerError, NotARealSet):
        return False


def narrows(riders: tuple[Riders, Riders], answer: Node) -> bool:
    """Whether an answer restricts the variable of an inequality to other numbers than reals.

    ``x > 1, x ∈ Z`` is another set than ``x > 1``, unless the reference says so too.
    """
    expected, found = (side.domains for side in riders)
    names = symbols(answer)
    if not isinstance(answer, Relation | Listing) or not is_region(answer) or len(names) != 1:
        return False
    return any(
        name in names and kind not in ("", "R", *expected.values()) for name, kind in found.items()
    )


def with_letters_of(riders: tuple[Riders, Riders], reference: Node, answer: Node) -> Node:
    """Return ``answer`` with its one arbitrary constant called as in the reference.

    Only letters are renamed that both sides declare, and that run over no integers: those are
    parameters of general solutions.
    """
    if not riders[0].domains or not riders[1].domains:
        return answer
    names = [
        [
            name
            for name, kind in side.domains.items()
            if name and kind not in INTEGER_DOMAINS and name in symbols(node)
        ]
        for side, node in zip(riders, (reference, answer), strict=True)
    ]
    if len(names[0]) != 1 or len(names[1]) != 1:
        return answer
    (old,), (new,) = names[1], names[0]
    if old == new or new in symbols(answer):
        return answer
    return with_symbol_renamed(answer, old, new)
