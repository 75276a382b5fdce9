"""Whether two answers say the same of their letters, and one letter for what both leave open."""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.comparing.regions import is_region
from rewards.math.evaluating.intervals import same_set
from rewards.math.evaluating.real_sets import NotARealSet, real_set
from rewards.math.reading.answers import parse
from rewards.math.reading.riders import INTEGER_DOMAINS, Riders
from rewards.math.tree import Listing, Node, Relation, symbols, with_symbol_renamed

_NATURAL = frozenset(["N", "N0", "N+"])


def same_riders(reference: Riders, answer: Riders) -> bool:
    """Whether what an answer says of its letters is compatible with what the reference says.

    A set that one side does not name is taken for granted. An answer may not be restricted by an
    inequality where the reference is not, but may exclude single values. Sets of natural numbers
    are left to the comparison of the values, because they may be counted from another start.
    """
    expected, found = reference.domains, answer.domains
    pairs = [(kind, found[name]) for name, kind in expected.items() if name in found]
    if not pairs and len(expected) == len(found) == 1:
        pairs = list(zip(expected.values(), found.values(), strict=True))
    if not all(_compatible(one, other) for one, other in pairs):
        return False
    restricting = [condition for condition in answer.conditions if "!=" not in condition]
    if not reference.conditions:
        return not restricting
    return not answer.conditions or _same_conditions(reference.conditions, answer.conditions)


def _compatible(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return True
    return one in _NATURAL and other in _NATURAL


def _same_conditions(expected: tuple[str, ...], found: tuple[str, ...]) -> bool:
    try:
        sets = [
            [real_set(parse(condition)) for condition in conditions]
            for conditions in (expected, found)
        ]
    except (AnswerError, NotARealSet):
        return sorted(expected) == sorted(found)
    return len(expected) == len(found) and all(
        any(same_set(one, other) for other in sets[1]) for one in sets[0]
    )


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
