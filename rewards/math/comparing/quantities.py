"""Whether two values with units are the same: units may be missing, and are converted."""

from __future__ import annotations

from fractions import Fraction

from rewards.math.comparing.collections import Same
from rewards.math.comparing.values import same_value
from rewards.math.evaluating import units
from rewards.math.reading.cues import Cues
from rewards.math.reading.unit_parsing import with_letter_as_unit
from rewards.math.tree import Call, Constant, Node, Number, Product, Quantity, Sum, walk


def same_quantity(reference: Node, answer: Node, cues: Cues, same: Same) -> bool:
    """Whether two quantities are the same; a unit that one side lacks is taken for granted.

    A reference without a unit is in the one that the question asks for.

    same: compares two values without units. Raises AlgebraNeeded where units are to be converted.
    """
    expected = reference if isinstance(reference, Quantity) else Quantity(reference, ())
    if isinstance(answer, Quantity) and answer.unit and cues.unit and not expected.noun:
        expected = Quantity(expected.value, expected.unit or cues.unit)
    if expected.unit:
        answer = with_letter_as_unit(answer)
    found = answer if isinstance(answer, Quantity) else Quantity(answer, ())
    if expected.unit and found.noun:
        return False
    if found.unit and expected.noun:
        return False
    if _same_angle(expected, found, cues):
        return True
    if expected.unit and found.unit and expected.unit != found.unit:
        conversion = units.conversion(found.unit, expected.unit)
        if conversion is None:
            return False
        factor, offset = conversion
        scaled = Sum((Product((Number(factor), found.value)), Number(offset)))
        return same_value(expected.value, scaled, cues)
    return same(expected.value, found.value)


def _same_angle(expected: Quantity, found: Quantity, cues: Cues) -> bool:
    """Degrees against radians, which a bare multiple of pi is in.

    Apart from other units, because the factor between these is no fraction.
    """
    degrees = (("degree", Fraction(1)),)
    radians = (("radian", Fraction(1)),)
    pairs = ((expected, found), (found, expected))
    for with_degrees, other in pairs:
        if with_degrees.unit != degrees or other.unit not in ((), radians):
            continue
        if other.unit == () and not any(part == Constant("pi") for part in walk(other.value)):
            continue
        return same_value(Call("degree", (with_degrees.value,)), other.value, cues)
    return False
