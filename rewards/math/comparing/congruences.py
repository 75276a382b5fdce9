"""Residue classes: ``x ≡ 3 (mod 7)``, ``x = 7k + 3``, and the remainder ``x mod 7 = 3``."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from rewards.math.comparing import general_solutions
from rewards.math.comparing.collections import solutions, unlabelled
from rewards.math.comparing.values import same_value
from rewards.math.evaluating.exact import rational
from rewards.math.tree import Call, Congruence, Node, Number, Relation, substituted, symbols


def _as_congruence(node: Node) -> Node:
    """``a mod 7 = 3`` as ``a ≡ 3 (mod 7)``; other nodes as they are."""
    if isinstance(node, Relation) and node.operators == ("=",):
        remainder, value = node.sides
        if isinstance(remainder, Call) and remainder.name == "mod":
            return Congruence(remainder.arguments[0], value, remainder.arguments[1])
    return node


def same_congruence(reference: Node, answer: Node) -> bool:
    """Whether two residue classes, or a class and a value in it, are the same."""
    reference, answer = _as_congruence(reference), _as_congruence(answer)
    if isinstance(reference, Congruence) and isinstance(answer, Congruence):
        if not same_value(reference.modulus, answer.modulus):
            return False
        return _same_class(reference.right, answer.right, reference.modulus)
    if isinstance(answer, Congruence):
        return same_value(reference, answer.right) or (
            answer.left is None and _same_class(reference, answer.right, answer.modulus)
        )
    assert isinstance(reference, Congruence)
    if len(general_solutions.symbols_of_values(answer)) == 1:  # 5k + 2
        return same_classes(reference, answer, (), ())
    return reference.left is None and same_value(reference, answer)


def _same_class(one: Node, other: Node, modulus: Node) -> bool:
    values = [rational(node) for node in (one, other, modulus)]
    if any(value is None for value in values):
        return same_value(one, other)
    expected, found, size = (value or Fraction(0) for value in values)
    return bool(size) and (expected - found) % size == 0


def same_classes(
    reference: Node,
    answer: Node,
    reference_parameters: Iterable[str],
    answer_parameters: Iterable[str],
) -> bool:
    """Whether two residue classes are the same, written ``x ≡ 3 (mod 7)`` or ``x = 7k + 3``."""
    one = _residue_class(reference, frozenset(reference_parameters))
    other = _residue_class(answer, frozenset(answer_parameters))
    if one is None or other is None:
        return False
    return bool(one[1] == other[1] and (one[0] - other[0]) % one[1] == 0)


def _residue_class(node: Node, parameters: frozenset[str]) -> tuple[Any, Any] | None:
    if isinstance(node, Congruence):
        value, modulus = rational(node.right), rational(node.modulus)
        return None if value is None or not modulus else (value, modulus)
    value_node = unlabelled(node)
    free = symbols(value_node) & parameters if parameters else symbols(value_node)
    if len(free) != 1 or solutions(node) is not None:
        return None
    (name,) = free
    at = [rational(substituted(value_node, name, Number(n))) for n in map(Fraction, (0, 1, 2))]
    if at[0] is None or at[1] is None or at[2] is None or at[2] - at[1] != at[1] - at[0]:
        return None
    step = abs(at[1] - at[0])
    return (at[0], step) if step else None
