"""Whether an answer is the reference: the reference's type decides how they are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rewards.math.comparing import antiderivatives, congruences, equations, general_solutions
from rewards.math.comparing.collections import (
    Same,
    as_rows,
    as_tuple,
    assignments,
    expanded,
    has_plus_minus,
    same_in_any_order,
    same_in_order,
    solutions,
    unlabelled,
    values_in_order,
)
from rewards.math.comparing.dots import same_with_dots
from rewards.math.comparing.notations import same_digits, same_percentage
from rewards.math.comparing.quantities import same_quantity
from rewards.math.comparing.regions import is_region, same_region
from rewards.math.comparing.statements import same_statement
from rewards.math.comparing.values import same_value
from rewards.math.evaluating.exact import TooLarge, Undefined, rational
from rewards.math.reading.cues import Cues
from rewards.math.reading.phrases import meaning
from rewards.math.tree import (
    BigOperator,
    Bracket,
    Builder,
    Call,
    Congruence,
    Constant,
    Listing,
    Matrix,
    NamedSet,
    Node,
    Number,
    PlusMinus,
    Power,
    Product,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Statement,
    Sum,
    Symbol,
    Words,
    divided,
    symbols,
    walk,
)


@dataclass(frozen=True)
class Comparison:
    """One reference and one answer, with what the question allows.

    reference_parameters, answer_parameters: variables that each side declares to run over the
    integers, with the set that it names (Z, N, N0 or N+).
    """

    reference: Node
    answer: Node
    cues: Cues
    reference_parameters: Mapping[str, str] = field(default_factory=dict)
    answer_parameters: Mapping[str, str] = field(default_factory=dict)

    def holds(self) -> bool:
        """Whether the answer is right. Raises AlgebraNeeded, Undefined, AnswerError."""
        return same(self.reference, self.answer, _with_implied_parameters(self))

    def holds_as_written(self) -> bool:
        """Whether the answer is right when no letter is taken for an undeclared parameter.

        Raises AlgebraNeeded, Undefined, AnswerError.
        """
        return same(self.reference, self.answer, self)


def _with_implied_parameters(case: Comparison) -> Comparison:
    """Where neither side declares its parameter, two letters that count periods are declared."""
    if case.reference_parameters or case.answer_parameters or isinstance(case.answer, Number):
        return case
    expected = general_solutions.implied_parameter(case.reference)
    found = general_solutions.implied_parameter(case.answer) if expected else None
    if expected is None or found is None or expected == found:
        return case
    declared = {expected: "Z"}, {found: "Z"}
    return Comparison(case.reference, case.answer, case.cues, *declared)


def same(reference: Node, answer: Node, case: Comparison) -> bool:
    """Whether ``answer`` is ``reference``, compared as the type of the reference asks.

    Raises AlgebraNeeded, Undefined, AnswerError.
    """
    reference, answer = meaning(reference), meaning(answer)
    if case.reference_parameters or case.answer_parameters:
        return _same_general_solution(reference, answer, case)
    if isinstance(reference, Number) and isinstance(answer, Number):
        return _same_expression(reference, answer, case)
    if _left_open(_last_side(answer)) and not _left_open(reference):
        return False  # an integral or sum that is only written down restates the problem
    reference = _plain_reference(reference)
    for matches, compare in _BY_TYPE:
        if matches(reference, answer):
            return compare(reference, answer, case)
    return _same_expression(reference, answer, case)


def _plain_reference(reference: Node) -> Node:
    """A reference in its plainest form: ``≈ 2.83`` and sets of one value unwrapped."""
    if isinstance(reference, Relation) and reference.operators == ("in",):
        inside = reference.sides[1]
        if isinstance(inside, SetOf | Bracket | SetOperation | NamedSet | Builder):
            return inside
    is_single = isinstance(reference, SetOf) and len(reference.items) == 1
    if is_single and isinstance(reference, SetOf) and len(expanded(reference.items[0])) == 1:
        return reference.items[0]
    return reference


def _last_side(node: Node) -> Node:
    """What ``∫ x dx = x²/2 + C`` comes to; other nodes as they are."""
    return node.sides[-1] if isinstance(node, Relation) and "=" in node.operators else node


def _left_open(node: Node) -> bool:
    return any(isinstance(part, BigOperator) for part in walk(node))


# -- sets of numbers and solutions


def _is_finite(node: Node) -> bool:
    return solutions(node) is not None and not is_region(node)


def _same_infinite(reference: Node, answer: Node, case: Comparison) -> bool:
    answer = _plain_reference(answer)
    return same_region(reference, answer, case.cues, _matcher(case))


def _same_finite(reference: Node, answer: Node, case: Comparison) -> bool:
    paired = case.cues.paired_signs
    expected = solutions(reference, paired=paired)
    assert expected is not None
    answered = assignments(answer)
    found = solutions(answer, paired=paired)
    if found is None and isinstance(answer, SetOperation):
        return same_region(reference, answer, case.cues, _matcher(case))
    if found is None and isinstance(answer, Bracket) and isinstance(reference, Listing):
        found = list(answer.items)
    if found is None and isinstance(answer, Bracket) and len(answer.items) > 2:
        found = list(answer.items)
    if answered is not None and not _one_variable(answered):
        if isinstance(answer, Relation) and not isinstance(reference, Listing):
            return False  # a tuple is no set
        items = values_in_order(answered, case.cues.orders)
        return same_in_order(tuple(expected), items, _matcher(case))
    if found is None:
        found = [value_of(answer, reference)]
    return same_in_any_order(expected, found, _matcher(case))


def _one_variable(table: dict[str, Node]) -> bool:
    """Whether the labels are one variable with indices (x_1, x_2)."""
    return len({name.partition("_")[0] for name in table}) == 1


def _is_labelled(node: Node) -> bool:
    """Whether several variables have one value each."""
    table = assignments(node)
    if table is None or _one_variable(table):
        return False
    return isinstance(node, Listing) or not has_plus_minus(node)


def _same_labelled(reference: Node, answer: Node, case: Comparison) -> bool:
    table, answered = assignments(reference), assignments(answer)
    assert table is not None
    if answered is not None:
        return table.keys() == answered.keys() and all(
            same(table[name], answered[name], case) for name in table
        )
    items = as_tuple(answer)
    return items is not None and same_in_order(
        tuple(table[name] for name in table), items, _matcher(case)
    )


def _matcher(case: Comparison) -> Same:
    def matches(reference: Node, answer: Node) -> bool:
        try:
            return same(reference, answer, case)
        except (Undefined, TooLarge):
            return False

    return matches


# -- tuples, matrices, ratios, congruences, quantities, words


def _same_bracket(reference: Node, answer: Node, case: Comparison) -> bool:
    assert isinstance(reference, Bracket)
    if isinstance(answer, Relation) and answer.operators == ("in",):
        answer = answer.sides[1]
    if is_region(answer) and not isinstance(answer, Bracket):
        return same_region(reference, answer, case.cues, _matcher(case))
    rows, answered_rows = as_rows(reference), as_rows(answer)
    if rows is not None and isinstance(answer, Matrix):
        return _same_rows(rows, answered_rows, case)
    kinds = (reference.opening, reference.closing)
    is_pair = isinstance(answer, Bracket) and len(reference.items) == 2
    if is_pair and isinstance(answer, Bracket) and kinds != (answer.opening, answer.closing):
        return False
    if isinstance(answer, SetOf):
        return False
    items = as_tuple(answer, case.cues.orders)
    return items is not None and same_in_order(reference.items, items, _matcher(case))


def _is_scaled_matrix(node: Node) -> bool:
    return isinstance(node, Product) and as_rows(node) is not None


def _same_matrix(reference: Node, answer: Node, case: Comparison) -> bool:
    rows, found = as_rows(reference), as_rows(answer)
    assert rows is not None
    if found is None:
        expected, items = as_tuple(reference), as_tuple(answer)
        if expected is None or items is None or isinstance(answer, Listing):
            return False
        return same_in_order(expected, items, _matcher(case))
    return _same_rows(rows, found, case)


def _same_rows(
    rows: tuple[tuple[Node, ...], ...],
    found: tuple[tuple[Node, ...], ...] | None,
    case: Comparison,
) -> bool:
    return (
        found is not None
        and len(rows) == len(found)
        and all(
            same_in_order(one, other, _matcher(case))
            for one, other in zip(rows, found, strict=True)
        )
    )


def _same_ratio(reference: Node, answer: Node, case: Comparison) -> bool:
    answer = unlabelled(answer)
    expected = reference.parts if isinstance(reference, Ratio) else None
    found = answer.parts if isinstance(answer, Ratio) else None
    if expected is None:
        assert found is not None
        return len(found) == 2 and same_value(reference, divided(*found), case.cues)
    if found is None:
        return len(expected) == 2 and same(divided(*expected), answer, case)
    if any(rational(part) == 0 for part in (*expected, *found)):
        return same_in_order(expected, found, _matcher(case))  # a time of day, not a ratio
    return len(expected) == len(found) and all(
        same_value(Product((expected[0], other)), Product((one, found[0])), case.cues)
        for one, other in zip(expected[1:], found[1:], strict=True)
    )


def _same_congruence(reference: Node, answer: Node, case: Comparison) -> bool:
    return congruences.same_congruence(reference, answer)


def _same_quantity(reference: Node, answer: Node, case: Comparison) -> bool:
    return same_quantity(
        reference, value_of(answer, reference), case.cues, lambda one, two: same(one, two, case)
    )


def _same_words(reference: Node, answer: Node, case: Comparison) -> bool:
    answer = meaning(unlabelled(answer))
    if isinstance(reference, Words) and isinstance(answer, Words):
        return reference.text == answer.text
    return False


# -- general solutions, relations, expressions


def _same_general_solution(reference: Node, answer: Node, case: Comparison) -> bool:
    if isinstance(reference, Congruence) or isinstance(answer, Congruence):
        return congruences.same_classes(
            reference, answer, case.reference_parameters, case.answer_parameters
        )
    declared = case.reference_parameters, case.answer_parameters
    if any(
        equations.is_argument(name, node)
        for names, node in zip(declared, (reference, answer), strict=True)
        for name in names
    ):
        return Comparison(reference, answer, case.cues).holds_as_written()
    fits = general_solutions.same_general_solution(reference, answer, *declared)
    if fits is not None:
        return fits
    answer = general_solutions.with_parameter_of(declared, reference, answer)
    return Comparison(reference, answer, case.cues).holds_as_written()


def _same_statement(reference: Node, answer: Node, case: Comparison) -> bool:
    return same_statement(reference, answer, case.cues, _matcher(case))


def _same_relation(reference: Node, answer: Node, case: Comparison) -> bool:
    assert isinstance(reference, Relation)
    if isinstance(answer, Relation):
        matches = _matcher(case)
        if has_plus_minus(reference.sides[0]) or has_plus_minus(answer.sides[0]):
            one, other = (expanded(node, paired=True) for node in (reference, answer))
            return len(one) == len(other) and same_in_any_order(one, other, matches)
        return equations.same_equation(
            reference, answer, case.cues, matches
        ) or antiderivatives.same_with_constants_renamed(
            reference,
            answer,
            lambda one, two: equations.same_equation(one, two, case.cues, matches),
        )
    label, value = reference.sides[0], reference.sides[-1]
    if equations.is_label(label, value) or isinstance(label, Words) or not symbols(reference):
        return same(value, answer, case)
    return False


def value_of(answer: Node, reference: Node) -> Node:
    """Return the value that an answer gives: 5 for ``x = 5``.

    Raises AnswerError for a claim that is false or says nothing.
    """
    if isinstance(answer, Relation) and set(answer.operators) <= {"=", "~"}:
        return equations.claimed_value(answer, reference)
    if isinstance(answer, Relation) and answer.operators == ("in",):
        return unlabelled(answer)
    return answer


def _same_expression(reference: Node, answer: Node, case: Comparison) -> bool:
    answer = meaning(value_of(answer, reference))
    if isinstance(answer, SetOf) and len(answer.items) == 1:
        answer = answer.items[0]
    if isinstance(answer, Quantity | Ratio | Congruence) or isinstance(reference, Quantity):
        return same(reference, answer, case)
    if isinstance(answer, Listing):  # "1/2 or 0.5" says one thing twice
        return all(same(reference, unlabelled(item), case) for item in answer.items)
    if not isinstance(answer, _EXPRESSIONS):
        return False
    readings = expanded(answer, paired=case.cues.paired_signs)
    if len(readings) > 1:
        return all(same(reference, value, case) for value in readings)
    if same_with_dots(reference, answer):
        return True
    if same_percentage(reference, answer, case.cues):
        return True
    if isinstance(reference, Number) and reference.base != 10 and case.cues.based:
        return isinstance(answer, Number) and same_digits(reference, answer)
    if antiderivatives.is_indefinite(reference) and not _left_open(answer):
        return antiderivatives.is_antiderivative(reference, answer)
    if same_value(reference, answer, case.cues):
        return True
    return antiderivatives.same_up_to_constant(reference, answer, case.cues)


_EXPRESSIONS = (Number, Symbol, Constant, Sum, Product, Power, Call, BigOperator, PlusMinus)
_BY_TYPE: tuple[
    tuple[Callable[[Node, Node], bool], Callable[[Node, Node, Comparison], bool]], ...
] = (
    (lambda r, a: isinstance(r, Words), _same_words),
    (lambda r, a: isinstance(r, Statement) or isinstance(a, Statement), _same_statement),
    (lambda r, a: isinstance(r, Matrix) or _is_scaled_matrix(r), _same_matrix),
    (lambda r, a: isinstance(r, Congruence) or isinstance(a, Congruence), _same_congruence),
    (lambda r, a: isinstance(r, Ratio), _same_ratio),
    (lambda r, a: is_region(r), _same_infinite),
    (lambda r, a: _is_labelled(r), _same_labelled),
    (lambda r, a: isinstance(r, Bracket) and not has_plus_minus(r), _same_bracket),
    (lambda r, a: _is_finite(r), _same_finite),
    (lambda r, a: isinstance(r, Relation), _same_relation),
    (lambda r, a: isinstance(r, Quantity), _same_quantity),
    (lambda r, a: isinstance(a, Quantity), _same_quantity),
    (lambda r, a: isinstance(a, Ratio), _same_ratio),
)
