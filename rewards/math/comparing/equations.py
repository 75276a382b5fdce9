"""Equations up to a factor, inequalities, and claims such as ``x = 5``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rewards.errors import AlgebraNeeded, AnswerError
from rewards.math.comparing.antiderivatives import is_antiderivative, is_indefinite
from rewards.math.comparing.collections import Same
from rewards.math.comparing.values import same_value
from rewards.math.evaluating.exact import TooLarge, Undefined
from rewards.math.evaluating.numeric import DIGITS, Evaluator, Unevaluable, context
from rewards.math.evaluating.points import points
from rewards.math.reading.cues import Cues
from rewards.math.tree import (
    MINUS_ONE,
    Bracket,
    Builder,
    Call,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    Ratio,
    Relation,
    Symbol,
    Words,
    difference,
    divided,
    substituted,
    symbols,
)

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!=", "=": "=", "~": "~"}


def is_label(node: Node, value: Node) -> bool:
    """Whether ``node`` is a name for ``value``: x, f(x), AB, (x, y), AB/CD or a:b.

    A variable that occurs in the value is no name for it.
    """
    if isinstance(node, Symbol):
        return node.name not in symbols(value)
    if isinstance(node, Bracket):
        return all(isinstance(item, Symbol) for item in node.items)
    if isinstance(node, Ratio):
        return not symbols(value) and all(_is_letters(part) for part in node.parts)
    if isinstance(node, Call) and node.name in ("abs", "mod"):  # |AB| and a mod b
        named = length_name(node) or (node.name == "mod" and bool(symbols(node)))
        return bool(named) and not (symbols(value) & symbols(node))
    if is_indefinite(node):  # "∫ x dx = x²/2 + C"
        return is_antiderivative(node, value)
    return (
        application(node) is not None
        or _is_derivative(node)
        or (not symbols(value) and _is_letters(node))
    )


def _is_derivative(node: Node) -> bool:
    """Whether ``node`` is written dy/dx, or with the partial sign."""
    if not isinstance(node, Product) or len(node.factors) != 2:
        return False
    upper, lower = node.factors
    parts = (upper, lower.base) if isinstance(lower, Power) else ()
    return len(parts) == 2 and all(
        isinstance(part, Product) and part.factors[0] in (Symbol("d"), Symbol("partial"))
        for part in parts
    )


def length_name(node: Node) -> Product | None:
    """Return AB for the length ``|AB|``: two letters or more between bars."""
    if (
        not isinstance(node, Call)
        or node.name != "abs"
        or not isinstance(node.arguments[0], Product)
    ):
        return None
    (inside,) = node.arguments
    named = isinstance(inside, Product) and all(
        isinstance(letter, Symbol) and letter.name[:1].isupper() for letter in inside.factors
    )
    return inside if named and isinstance(inside, Product) else None


def _plain_label(node: Node) -> Node:
    """A label without dress: AB for ``|AB|``, AB/CD for AB : CD."""
    if isinstance(node, Ratio) and len(node.parts) == 2:
        return divided(*node.parts)
    return length_name(node) or node


def _is_letters(node: Node) -> bool:
    """Whether ``node`` is made of letters by multiplying and dividing only."""
    if isinstance(node, Product):
        return all(_is_letters(factor) for factor in node.factors)
    if isinstance(node, Power):
        return node.exponent == MINUS_ONE and _is_letters(node.base)
    return isinstance(node, Symbol)


def application(node: Node) -> str | None:
    """Return the variable of ``f(x)``, "" for other products of letters (AB, P(A)), else None."""
    if not isinstance(node, Product):
        return None
    first, *rest = node.factors
    if isinstance(first, Power) and first.exponent == MINUS_ONE:  # the inverse f^{-1}(x)
        first = first.base
    if not isinstance(first, Symbol):
        return None
    if not all(isinstance(factor, Symbol | Number | Product) for factor in rest):
        return None
    last = node.factors[-1]
    named = isinstance(last, Symbol) and len(node.factors) == 2
    return last.name if named and isinstance(last, Symbol) else ""


def is_argument(name: str, node: Node) -> bool:
    """Whether ``name`` is what the label of ``node`` depends on: n of ``f(n) = …``, ``a_n = …``."""
    if not isinstance(node, Relation) or node.operators != ("=",):
        return False
    label = node.sides[0]
    if isinstance(label, Symbol):
        return name in label.name.partition("_")[2]
    return application(label) == name


def claimed_value(answer: Relation, reference: Node) -> Node:
    """Return the value that a chain of equalities gives.

    Raises AnswerError for a chain that is false or says nothing.
    """
    sides = list(answer.sides)
    names = symbols(reference)
    label, *values = sides
    is_named = isinstance(label, Words) or (
        is_label(label, values[0]) if names else bool(symbols(label))
    )
    if not is_named and not names and len(sides) == 2 and symbols(sides[1]):
        return _checked(sides[0])  # "5 = x"
    reverse_named = names and len(sides) == 2 and isinstance(sides[1], Symbol)
    if not is_named and reverse_named and is_label(sides[1], sides[0]):
        return _checked(sides[0])
    if not is_named:
        if any(side == values[-1] for side in sides[:-1]):
            raise AnswerError("a tautology")
        values = sides
    while len(values) > 1 and isinstance(values[0], Symbol) and values[0].name not in names:
        values = values[1:]  # x = y = 5
    operators = answer.operators[len(sides) - len(values) :]
    exact = [values[0]]
    for (left, right), operator in zip(pairwise(values), operators, strict=True):
        if operator == "=" and not _equal_values(left, right):
            raise AnswerError("a false equation")
        if operator == "~" and not _roughly_equal(left, right):
            raise AnswerError("a false approximation")
        if operator == "=":
            exact.append(right)
    return _checked(exact[-1])


def _checked(node: Node) -> Node:
    if isinstance(node, Relation):
        raise AnswerError("nested relations")
    return node


def _equal_values(left: Node, right: Node) -> bool:
    left, right = (n.value if isinstance(n, Quantity) else n for n in (left, right))
    try:
        return same_value(left, right)
    except (Undefined, Unevaluable):
        return False


def _roughly_equal(left: Node, right: Node) -> bool:
    """Within one percent: what follows an approximation sign is not judged, only not absurd."""
    left, right = (n.value if isinstance(n, Quantity) else n for n in (left, right))
    try:
        one, other = (Evaluator({}).value(node) for node in (left, right))
    except (Unevaluable, TooLarge, Undefined):
        return False
    return bool(abs(one - other) * 100 <= max(abs(one), abs(other)))


def same_equation(reference: Relation, answer: Relation, cues: Cues, same: Same) -> bool:
    """Whether two equations say the same: equal values for labels, or equal up to a factor."""
    ref_label, ref_value = _plain_label(reference.sides[0]), reference.sides[-1]
    ans_label, ans_value = _plain_label(answer.sides[0]), answer.sides[-1]
    if not set(answer.operators) <= {"=", "~"} or not set(reference.operators) <= {"=", "~"}:
        return False
    if isinstance(ref_label, Words) or isinstance(ans_label, Words):
        return same(ref_value, ans_value)
    one, other = application(ref_label), application(ans_label)
    if one is not None and other is not None:
        if one and other and one != other and other in symbols(ans_value):
            ans_value = substituted(ans_value, other, Symbol(one))
        bound = one and other and not (one.isupper() or other.isupper())  # not AB, P(A)
        bound = bound and not (symbols(ans_label) - {other}) & symbols(ans_value)  # nor xy = yx
        if (ref_label == ans_label or bound) and same(ref_value, ans_value):
            return True
    if (one is not None) != (other is not None):
        plain = ans_label if one is not None else ref_label
        taken = symbols(ref_value) | symbols(ans_value) | {one or other}  # nor x = 1 for f(x) = 1
        if isinstance(plain, Symbol) and plain.name not in taken:
            return same(ref_value, ans_value)
    if len(answer.sides) > 2 or len(reference.sides) > 2:
        return ref_label == ans_label and same(ref_value, claimed_value(answer, ref_value))
    if ref_label == ans_label and same(ref_value, ans_value):
        return True
    return _same_up_to_factor(reference, answer, cues)


def _moved(relation: Relation) -> Node:
    return difference(relation.sides[0], relation.sides[1])


def _same_up_to_factor(reference: Relation, answer: Relation, cues: Cues) -> bool:
    factor = _constant_ratio(_moved(reference), _moved(answer), cues)
    return factor is not None and factor != 0


def _constant_ratio(one: Node, other: Node, cues: Cues) -> Any:
    """``other / one`` when it is the same at all points, else None."""
    mp = context()
    names = symbols(one) | symbols(other)
    if not names:
        return None
    ratio: Any = None
    compared = 0
    for point in points(names, positive=cues.positive):
        try:
            expected, found = Evaluator(point).value(one), Evaluator(point).value(other)
        except (Undefined, Unevaluable, TooLarge, AlgebraNeeded):
            continue
        if abs(expected) < mp.mpf(10) ** -20:
            continue
        current = found / expected
        if ratio is not None and abs(current - ratio) > abs(ratio) * mp.mpf(10) ** (15 - DIGITS):
            return None
        ratio = current
        compared += 1
    return ratio if compared >= 3 else None


def same_inequality(reference: Relation, answer: Relation, cues: Cues) -> bool:
    """Whether inequalities with letters are the same up to a factor; one below zero flips them."""
    steps = [
        (Relation((op,), (left, right)))
        for left, op, right in zip(
            reference.sides[:-1], reference.operators, reference.sides[1:], strict=True
        )
    ]
    answered = [
        (Relation((op,), (left, right)))
        for left, op, right in zip(
            answer.sides[:-1], answer.operators, answer.sides[1:], strict=True
        )
    ]
    if len(steps) != len(answered) or any(op not in _FLIPPED for op in answer.operators):
        return False
    in_order = all(_same_step(one, other, cues) for one, other in zip(steps, answered, strict=True))
    return in_order or all(
        _same_step(one, other, cues) for one, other in zip(steps, answered[::-1], strict=True)
    )


def _same_step(one: Relation, other: Relation, cues: Cues) -> bool:
    if not symbols(one) | symbols(other):
        return _same_numbers(one, other)
    factor = _constant_ratio(_moved(one), _moved(other), cues)
    if factor is None or factor == 0 or context().im(factor) != 0:
        return False
    operator = other.operators[0] if factor > 0 else _FLIPPED[other.operators[0]]
    return one.operators[0] == operator


def _same_numbers(one: Relation, other: Relation) -> bool:
    """Whether two inequalities without letters compare the same numbers in the same way."""
    turned = Relation((_FLIPPED[other.operators[0]],), other.sides[::-1])
    if _equal_values(*one.sides):
        turned = other
    return any(
        one.operators == candidate.operators
        and all(_equal_values(*pair) for pair in zip(one.sides, candidate.sides, strict=True))
        for candidate in (other, turned)
    )


def same_builder(reference: Builder, answer: Builder) -> bool:
    """Whether two set builders differ in the name of the bound variable only."""
    return _renamed(answer.condition, answer.variable, reference.variable) == reference.condition


def _renamed(node: Node, name: str, new: str) -> Node:
    if isinstance(node, Relation):
        sides = tuple(substituted(side, name, Symbol(new)) for side in node.sides)
        return Relation(node.operators, sides)
    return substituted(node, name, Symbol(new))
