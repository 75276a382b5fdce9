"""Infinite sets of reals: what describes one, and whether two are the same."""

from __future__ import annotations

from typing import TypeGuard

from rewards.math.comparing import equations
from rewards.math.comparing.collections import Same, same_in_order, solutions
from rewards.math.comparing.region_units import without_units
from rewards.math.evaluating.intervals import same_set
from rewards.math.evaluating.real_sets import NotARealSet, real_set
from rewards.math.reading.cues import Cues
from rewards.math.tree import (
    Bracket,
    Builder,
    Constant,
    Listing,
    NamedSet,
    Node,
    Number,
    Product,
    Quantity,
    Relation,
    SetOperation,
    Symbol,
    Words,
    rebuilt,
    symbols,
    walk,
)

_INEQUALITIES = frozenset(["<", ">", "<=", ">=", "!="])


def is_region(node: Node) -> bool:
    """Whether ``node`` describes an infinite set of reals: an interval, an inequality, a union."""
    if isinstance(node, Relation):
        return any(operator in _INEQUALITIES for operator in node.operators) or (
            node.operators == ("in",) and is_region(node.sides[1])
        )
    if isinstance(node, Listing):
        return any(is_region(item) for item in node.items)
    if isinstance(node, SetOperation):
        return solutions(node) is None
    if isinstance(node, Bracket):
        mixed = (node.opening, node.closing) in (("(", "]"), ("[", ")"))
        return len(node.items) == 2 and (mixed or any(is_infinite(i) for i in node.items))
    return isinstance(node, Builder) or (isinstance(node, NamedSet) and node.name != "")


def is_infinite(node: Node) -> bool:
    """Whether infinity stands anywhere in ``node``."""
    return any(part == Constant("oo") for part in walk(node))


def same_region(reference: Node, answer: Node, cues: Cues, same: Same) -> bool:
    """Whether two infinite sets of reals are the same. Raises AlgebraNeeded."""
    if isinstance(answer, Quantity | Number | Words):
        return False
    if reference == answer:
        return True
    reference, answer = without_units(reference, answer, cues)
    (reference, one), (answer, other) = _about_a_value(reference), _about_a_value(answer)
    if not _same_named(one, other, reference, answer):
        return False
    try:
        return same_set(real_set(reference), real_set(answer))
    except NotARealSet:
        return _same_symbolic_region(reference, answer, cues, same)


_VALUE = Symbol("value")
_FUNCTION_LETTERS = frozenset("fghFGHPpqTSV")


def _about_a_value(node: Node) -> tuple[Node, Product | None]:
    """``0 < f(x) < 1`` as a condition on one variable, and f(x); other nodes with None.

    A length between bars, |AB|, is named as AB is.
    """
    if isinstance(node, Listing):
        parts = [_about_a_value(item) for item in node.items]
        names = {name for _, name in parts}
        if len(names) != 1 or None in names:
            return node, None
        return Listing(node.connective, tuple(part for part, _ in parts)), parts[0][1]
    if not isinstance(node, Relation) or not set(node.operators) <= _INEQUALITIES:
        return node, None
    sides = tuple(
        rebuilt(side, lambda part: equations.length_name(part) or part) for side in node.sides
    )
    named = {part for side in sides for part in walk(side) if _is_named_value(part)}
    named -= {letters for name in named if _is_angle(name) for letters in name.factors[1:]}
    if len(named) != 1:
        return node, None
    (name,) = named
    sides = tuple(rebuilt(side, lambda part: _VALUE if part == name else part) for side in sides)
    changed = Relation(node.operators, sides)
    return (changed, name) if symbols(changed) == {_VALUE.name} else (node, None)


def _is_named_value(node: Node) -> TypeGuard[Product]:
    """Whether ``node`` is f(x), or the name of a length or an angle in capital letters."""
    if not isinstance(node, Product):
        return False
    first = node.factors[0]
    if not isinstance(first, Symbol):
        return False
    if _is_angle(node) or all(
        isinstance(part, Symbol) and part.name[:1].isupper() for part in node.factors
    ):
        return True
    return bool(equations.application(node)) and first.name[:1] in _FUNCTION_LETTERS


def _is_angle(node: Product) -> bool:
    """Whether ``node`` is the sign of an angle and its letters."""
    return node.factors[0] == Symbol("angle")


def _same_named(one: Product | None, other: Product | None, reference: Node, answer: Node) -> bool:
    """Whether conditions are on the same value: of one function, or of a letter beside it.

    A condition on x is none on f(x).
    """
    if one is not None and other is not None:
        is_function = equations.application(one) and equations.application(other)
        return one == other or bool(is_function and one.factors[0] == other.factors[0])
    if one is None and other is None:
        return True
    value, node = (one, answer) if one is not None else (other, reference)
    assert value is not None
    return not (symbols(node) & symbols(value))


def _same_symbolic_region(reference: Node, answer: Node, cues: Cues, same: Same) -> bool:
    """Whether two regions with letters in them are the same part by part."""
    if isinstance(reference, Relation) and isinstance(answer, Relation):
        return equations.same_inequality(reference, answer, cues)
    if isinstance(reference, Bracket) and isinstance(answer, Bracket):
        ends = (reference.opening, reference.closing) == (answer.opening, answer.closing)
        return ends and same_in_order(reference.items, answer.items, same)
    if isinstance(reference, SetOperation) and isinstance(answer, SetOperation):
        return (
            reference.kind == answer.kind
            and same_region(reference.left, answer.left, cues, same)
            and same_region(reference.right, answer.right, cues, same)
        )
    if isinstance(reference, Builder) and isinstance(answer, Builder):
        return equations.same_builder(reference, answer)
    return False
