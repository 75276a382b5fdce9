"""Statements about all or some values: ``∀x ∈ R, x² ≥ 0``."""

from __future__ import annotations

from rewards.math.comparing import equations
from rewards.math.comparing.collections import Same
from rewards.math.reading.cues import Cues
from rewards.math.tree import (
    Listing,
    NamedSet,
    Node,
    Relation,
    Statement,
    Symbol,
    with_symbol_renamed,
)


def same_statement(reference: Node, answer: Node, cues: Cues, same: Same) -> bool:
    """Whether two statements, of which one at least has a quantifier, are the same.

    Bound variables may have other names. An equation says the same with "for all" and without;
    any other claim does not.
    """
    if not isinstance(reference, Statement):
        return _is_equation(answer) and same(reference, _claim(answer))
    if not isinstance(answer, Statement):
        return _is_equation(reference) and same(_claim(reference), answer)
    if reference.quantifier != answer.quantifier:
        return False
    expected, found = _names(reference.binder), _names(answer.binder)
    if len(expected) != len(found):
        return False
    renamed: Node = answer
    for index, name in enumerate(found):
        renamed = with_symbol_renamed(renamed, name, f"bound {index}")
    for index, name in enumerate(expected):
        renamed = with_symbol_renamed(renamed, f"bound {index}", name)
    assert isinstance(renamed, Statement)
    return _same_claim(reference.binder, renamed.binder, cues, same) and _same_claim(
        reference.claim, renamed.claim, cues, same
    )


def _claim(node: Node) -> Node:
    assert isinstance(node, Statement)
    return node.claim


def _is_equation(node: Node) -> bool:
    return (
        isinstance(node, Statement)
        and node.quantifier == "forall"
        and isinstance(node.claim, Relation)
        and set(node.claim.operators) == {"="}
    )


def _names(binder: Node) -> list[str]:
    items = binder.items if isinstance(binder, Listing) else (binder,)
    bound = [item.sides[0] if isinstance(item, Relation) else item for item in items]
    return [item.name for item in bound if isinstance(item, Symbol)]


def _same_claim(one: Node, other: Node, cues: Cues, same: Same) -> bool:
    """Whether two claims are the same as they stand, up to a factor, not only equally true."""
    if one == other:
        return True
    if isinstance(one, Statement) or isinstance(other, Statement):
        both = isinstance(one, Statement) and isinstance(other, Statement)
        return both and same_statement(one, other, cues, same)
    if isinstance(one, Listing) and isinstance(other, Listing):
        return len(one.items) == len(other.items) and all(
            _same_claim(a, b, cues, same) for a, b in zip(one.items, other.items, strict=True)
        )
    if not isinstance(one, Relation) or not isinstance(other, Relation):
        return False
    if "in" in one.operators or "notin" in one.operators:
        return one.operators == other.operators and all(
            a == b or (not isinstance(a, NamedSet) and same(a, b))
            for a, b in zip(one.sides, other.sides, strict=True)
        )
    if set(one.operators) <= {"=", "~"}:
        return equations.same_equation(one, other, cues, same)
    return equations.same_inequality(one, other, cues)
