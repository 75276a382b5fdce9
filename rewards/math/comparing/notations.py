"""One number in the notation a question asks for: digits of a base, a percentage."""

from __future__ import annotations

from rewards.math.comparing.values import same_value
from rewards.math.reading.cues import Cues
from rewards.math.tree import Call, Node, Number, Product


def same_digits(reference: Number, answer: Number) -> bool:
    """Whether ``answer`` has the digits of ``reference``, with or without the base named.

    This is for a question that asks for the base of the reference.
    """
    if answer.base == reference.base:
        return answer.value == reference.value
    digits = str(answer.value)
    if answer.base != 10 or not digits.isdigit() or not set(digits) <= set("0123456789"):
        return False
    if any(int(digit) >= reference.base for digit in digits):
        return False
    return int(digits, reference.base) == reference.value


def same_percentage(reference: Node, answer: Node, cues: Cues) -> bool:
    """Whether one is a bare 50 and the other 50 %, when the question asks for a percentage."""
    if not cues.percent:
        return False
    expected, found = _percentage(reference), _percentage(answer)
    if (expected is None) == (found is None):
        return False
    return same_value(expected or reference, found or answer, cues)


def _percentage(node: Node) -> Node | None:
    if isinstance(node, Call) and node.name == "percent":
        return node.arguments[0]
    if isinstance(node, Product) and len(node.factors) == 2:
        inner = _percentage(node.factors[1])
        return None if inner is None else Product((node.factors[0], inner))
    return None
