"""The small syntax tree answers are read into. Nothing in it can be executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes; equality is structural."""


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number as it was written.

    digits: significant figures of a decimal, 0 for an integer. places: digits after the point.
    base: the base it was written in (``101_2``).
    """

    value: Fraction
    digits: int = 0
    places: int = 0
    base: int = 10


@dataclass(frozen=True, slots=True)
class Symbol(Node):
    """A variable, with any subscript in its name (``x_1``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """One of pi, tau, e, i and infinity ("oo")."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """A sum of terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    """A product of factors; a quotient holds a power of -1."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Power(Node):
    """``base`` to the power of ``exponent``."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function with a known name, applied to its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class PlusMinus(Node):
    """An operand with both signs. inverted: written as minus-plus."""

    operand: Node
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class BigOperator(Node):
    """An integral, sum, product, limit or derivative that binds ``variable``."""

    kind: Literal["integral", "sum", "product", "limit", "derivative"]
    variable: str
    body: Node
    lower: Node | None = None
    upper: Node | None = None


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    """Rows of equal length."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Bracket(Node):
    """Two or more items in "(" or "[" at either side: a tuple, a list or an interval."""

    opening: str
    closing: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetOf(Node):
    """A finite set by its elements."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NamedSet(Node):
    """One of the sets R, Q, Z, N and C, or "" for the empty set."""

    name: str


@dataclass(frozen=True, slots=True)
class Builder(Node):
    """A set by a condition, ``{variable | condition}``."""

    variable: str
    condition: Node


@dataclass(frozen=True, slots=True)
class SetOperation(Node):
    """Two sets, combined by ``kind``: union, intersection or difference."""

    kind: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """A chain ``sides[0] operators[0] sides[1] …``; operators: = != < <= > >= in notin ~."""

    operators: tuple[str, ...]
    sides: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """A claim about all (``forall``) or some (``exists``) values of what ``binder`` names."""

    quantifier: str
    binder: Node
    claim: Node


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """Items with "," "and" or "or" between them."""

    connective: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Ratio(Node):
    """A ratio ``a : b : …``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Congruence(Node):
    """A congruence ``left ≡ right (mod modulus)``; left is None for ``3 mod 7`` and the like."""

    left: Node | None
    right: Node
    modulus: Node


@dataclass(frozen=True, slots=True)
class Quantity(Node):
    """A value with a unit: (name, exponent) pairs of known units, or ``noun`` for a count."""

    value: Node
    unit: tuple[tuple[str, Fraction], ...]
    noun: str = ""


@dataclass(frozen=True, slots=True)
class Words(Node):
    """Text, folded to lower case and single spaces."""

    text: str


ONE, MINUS_ONE, ZERO = Number(Fraction(1)), Number(Fraction(-1)), Number(Fraction(0))


@lru_cache(maxsize=64)
def _field_names(kind: type[Node]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly under ``node``."""
    for name in _field_names(type(node)):  # type: ignore[arg-type]
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple):
                    yield from (part for part in item if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and every node under it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))


def height(node: Node) -> int:
    """Return the number of nodes on the longest way down from ``node``, itself included."""
    level, count = [node], 0
    while level:
        level = [child for current in level for child in children(current)]
        count += 1
    return count


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the free variables of ``node``."""
    if isinstance(node, Symbol):
        return frozenset((node.name,))
    if isinstance(node, BigOperator):
        # Each part once: operators within operators would otherwise cost twice at every level.
        body = symbols(node.body)
        outer = frozenset().union(*(symbols(b) for b in (node.lower, node.upper) if b is not None))
        if node.kind == "derivative" or (node.kind == "integral" and node.lower is None):
            return body | outer
        return (body - {node.variable}) | outer
    found: frozenset[str] = frozenset()
    for child in children(node):
        found |= symbols(child)
    return found - {node.variable} if isinstance(node, Builder) else found


def negated(node: Node) -> Node:
    """Return ``-node``; of a number, the number with the other sign."""
    if isinstance(node, Number):
        return Number(-node.value, node.digits, node.places, node.base)
    return Product((MINUS_ONE, node))


def divided(numerator: Node, denominator: Node) -> Node:
    """Return ``numerator / denominator`` as a tree."""
    return Product((numerator, Power(denominator, MINUS_ONE)))


def difference(left: Node, right: Node) -> Node:
    """Return ``left - right`` as a tree."""
    return Sum((left, negated(right)))


def root_of(radicand: Node, degree: Node) -> Node:
    """Return the root of ``radicand`` as a power."""
    if isinstance(degree, Number) and degree.value:
        return Power(radicand, Number(1 / degree.value))
    return Power(radicand, Power(degree, MINUS_ONE))


def product_of(factors: list[Node]) -> Node:
    """Return the product of ``factors``, or the only one of them."""
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return an expression with ``change`` applied to every part, the innermost first."""
    if isinstance(node, Sum):
        node = Sum(tuple(rebuilt(term, change) for term in node.terms))
    elif isinstance(node, Product):
        node = Product(tuple(rebuilt(factor, change) for factor in node.factors))
    elif isinstance(node, Power):
        node = Power(rebuilt(node.base, change), rebuilt(node.exponent, change))
    elif isinstance(node, Call):
        node = Call(node.name, tuple(rebuilt(argument, change) for argument in node.arguments))
    return change(node)


def substituted(node: Node, name: str, value: Node) -> Node:
    """Return ``node`` with the variable ``name`` replaced by ``value``."""
    return rebuilt(node, lambda part: value if part == Symbol(name) else part)


def with_symbol_renamed(node: Node, name: str, new: str) -> Node:
    """Return any node with the variable ``name`` called ``new``, where it is bound too."""
    if isinstance(node, Symbol):
        return Symbol(new) if node.name == name else node
    changed: dict[str, Any] = {}
    for key in _field_names(type(node)):  # type: ignore[arg-type]
        value = getattr(node, key)
        if isinstance(value, Node):
            changed[key] = with_symbol_renamed(value, name, new)
        elif isinstance(value, tuple):
            changed[key] = _renamed_in(value, name, new)
        elif key == "variable" and value == name:
            changed[key] = new
    return replace(node, **changed)


def _renamed_in(values: tuple[Any, ...], name: str, new: str) -> tuple[Any, ...]:
    changed: list[Any] = []
    for value in values:
        if isinstance(value, Node):
            changed.append(with_symbol_renamed(value, name, new))
        else:
            changed.append(_renamed_in(value, name, new) if isinstance(value, tuple) else value)
    return tuple(changed)


def determinant(rows: tuple[tuple[Node, ...], ...]) -> Node:
    """Return the determinant by the Leibniz formula, up to 4 by 4; larger ones stay as written."""
    size = len(rows)
    if size > 4 or any(len(row) != size for row in rows):
        return Call("det", (Matrix(rows),))
    terms = []
    for order in permutations(range(size)):
        swaps = sum(order[i] > order[j] for i in range(size) for j in range(i + 1, size))
        product = product_of([row[column] for row, column in zip(rows, order, strict=True)])
        terms.append(negated(product) if swaps % 2 else product)
    return terms[0] if size == 1 else Sum(tuple(terms))
