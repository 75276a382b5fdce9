"""Units in the bounds of regions: ``30° < x < 90°`` is (30°, 90°), 2 to 3 cm are 20 to 30 mm."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from fractions import Fraction

from rewards.math.evaluating import units
from rewards.math.reading.cues import Cues
from rewards.math.tree import (
    Bracket,
    Builder,
    Call,
    Constant,
    Listing,
    Node,
    Number,
    Product,
    Quantity,
    Relation,
    SetOperation,
    Sum,
    walk,
)

Unit = tuple[tuple[str, Fraction], ...]
Change = Callable[[Node], Node]

_DEGREE: Unit = (("degree", Fraction(1)),)
_NO_ANGLE: tuple[Unit, ...] = ((), (("radian", Fraction(1)),))


def without_units(reference: Node, answer: Node, cues: Cues) -> tuple[Node, Node]:
    """Both regions with plain bounds, in the reference's unit; as they are if that cannot be.

    As of single quantities, a unit that one side lacks is taken for granted; a reference without
    a unit is in the one that the question asks for. Bounds of one region have one unit, and zero
    and infinity need none.
    """
    expected, found = _unit_of(reference), _unit_of(answer)
    if expected is None or found is None or not (expected or found):
        return reference, answer
    if found and not expected:
        expected = cues.unit or ()
    if _DEGREE in (expected, found) and (expected in _NO_ANGLE or found in _NO_ANGLE):
        in_radians = Constant("pi") in {*walk(reference), *walk(answer)}
        change = _in_radians if in_radians else _plain
        return _changed(reference, change), _changed(answer, change)
    if not expected or not found or expected == found:
        return _changed(reference, _plain), _changed(answer, _plain)
    conversion = units.conversion(found, expected)
    if conversion is None:
        return reference, answer
    factor, offset = conversion

    def convert(node: Node) -> Node:
        if not isinstance(node, Quantity):
            return node
        return Sum((Product((Number(factor), node.value)), Number(offset)))

    return _changed(reference, _plain), _changed(answer, convert)


def _unit_of(region: Node) -> Unit | None:
    """The unit of the bounds, () without one; None where they have several, or some lack it."""
    bounds = list(_bounds(region))
    found = {bound.unit for bound in bounds if isinstance(bound, Quantity)}
    if not found:
        return ()
    counted = any(isinstance(bound, Quantity) and bound.noun for bound in bounds)
    bare = any(isinstance(bound, Number) and bound.value for bound in bounds)
    return found.pop() if len(found) == 1 and not bare and not counted else None


def _bounds(region: Node) -> Iterator[Node]:
    """The ends of intervals and the sides of inequalities in ``region``."""
    if isinstance(region, Relation):
        for side in region.sides:
            yield from _bounds(side)
    elif isinstance(region, Bracket | Listing):
        for item in region.items:
            yield from _bounds(item)
    elif isinstance(region, SetOperation):
        yield from _bounds(region.left)
        yield from _bounds(region.right)
    elif isinstance(region, Builder):
        yield from _bounds(region.condition)
    else:
        yield region


def _changed(region: Node, change: Change) -> Node:
    """``region`` with ``change`` applied to its bounds."""
    if isinstance(region, Relation):
        sides = tuple(_changed(side, change) for side in region.sides)
        return dataclasses.replace(region, sides=sides)
    if isinstance(region, Bracket | Listing):
        items = tuple(_changed(item, change) for item in region.items)
        return dataclasses.replace(region, items=items)
    if isinstance(region, SetOperation):
        left, right = _changed(region.left, change), _changed(region.right, change)
        return dataclasses.replace(region, left=left, right=right)
    if isinstance(region, Builder):
        return dataclasses.replace(region, condition=_changed(region.condition, change))
    return change(region)


def _plain(node: Node) -> Node:
    return node.value if isinstance(node, Quantity) else node


def _in_radians(node: Node) -> Node:
    if isinstance(node, Quantity) and node.unit == _DEGREE:
        return Call("degree", (node.value,))
    return _plain(node)
