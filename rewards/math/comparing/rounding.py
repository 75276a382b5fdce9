"""Whether one number is the other, rounded as the question asks."""

from __future__ import annotations

from fractions import Fraction

from rewards.math.evaluating.exact import rational
from rewards.math.reading.cues import Cues
from rewards.math.tree import Node, Number, Product


def is_rounding(reference: Node, answer: Node, difference: Fraction, cues: Cues) -> bool:
    """Whether one of the two is the other, rounded to the decimal places that ``cues`` name.

    difference: how far the two values are apart, not below zero.
    """
    if not cues.rounds:
        return False
    written_reference, written_answer = _written(reference), _written(answer)
    if written_reference is not None and (written_reference.places or cues.places is not None):
        places = cues.places if cues.places is not None else written_reference.places
        if cues.places is None and cues.significant is not None:
            places = _places_for(written_reference, cues.significant)
        if places <= 0 and written_answer is not None:
            return False  # asked for a whole number: an unrounded one is no answer
        return bool(difference <= Fraction(1, 2) * Fraction(10) ** -places)
    if written_answer is None:
        return False
    if cues.significant is not None:
        places = _places_for(written_answer, cues.significant)
    elif cues.places is not None:
        places = cues.places
    else:
        return False
    if written_answer.places > max(places, 0):
        return False
    return bool(difference <= Fraction(1, 2) * Fraction(10) ** -places)


def _places_for(number: Number, significant: int) -> int:
    """Decimal places that ``significant`` figures of ``number`` reach."""
    magnitude = 0
    value = abs(number.value)
    while value >= 1 and magnitude < 400:
        value, magnitude = value / 10, magnitude + 1
    while value and value < Fraction(1, 10) and magnitude > -400:
        value, magnitude = value * 10, magnitude - 1
    return significant - magnitude


def _written(node: Node) -> Number | None:
    """The number as written, under a minus sign; None for anything else."""
    if isinstance(node, Product) and len(node.factors) == 2 and rational(node.factors[0]) == -1:
        return _written(node.factors[1])
    return node if isinstance(node, Number) else None
