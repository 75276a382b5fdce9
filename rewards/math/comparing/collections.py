"""Several values at once: solutions in any order, assignments, plus-minus, matrices."""

from __future__ import annotations

from collections.abc import Callable

from rewards.errors import AnswerError
from rewards.math.tree import (
    Bracket,
    Call,
    Listing,
    Matrix,
    NamedSet,
    Node,
    PlusMinus,
    Power,
    Product,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Sum,
    Symbol,
    negated,
    walk,
)

MAX_ITEMS = 64
Same = Callable[[Node, Node], bool]


def expanded(node: Node) -> list[Node]:
    """Return both readings of the plus-minus signs in ``node``, or ``node`` alone without any.

    All signs in one node are taken together: all upper ones, then all lower ones.
    """
    if not any(isinstance(part, PlusMinus) for part in walk(node)):
        return [node]
    return [_signed(node, upper=True), _signed(node, upper=False)]


def _signed(node: Node, *, upper: bool) -> Node:
    if isinstance(node, PlusMinus):
        operand = _signed(node.operand, upper=upper)
        return operand if upper != node.inverted else negated(operand)
    if isinstance(node, Sum):
        return Sum(tuple(_signed(term, upper=upper) for term in node.terms))
    if isinstance(node, Product):
        return Product(tuple(_signed(factor, upper=upper) for factor in node.factors))
    if isinstance(node, Power):
        return Power(_signed(node.base, upper=upper), _signed(node.exponent, upper=upper))
    if isinstance(node, Call):
        return Call(node.name, tuple(_signed(a, upper=upper) for a in node.arguments))
    if isinstance(node, Quantity):
        return Quantity(_signed(node.value, upper=upper), node.unit, node.noun)
    if isinstance(node, Relation):
        return Relation(node.operators, tuple(_signed(side, upper=upper) for side in node.sides))
    if isinstance(node, Bracket):
        items = tuple(_signed(item, upper=upper) for item in node.items)
        return Bracket(node.opening, node.closing, items)
    return node


def solutions(node: Node) -> list[Node] | None:
    """Return the values of a finite set or list, without labels; None for any other node."""
    if isinstance(node, SetOf):
        parts: list[Node] = list(node.items)
    elif isinstance(node, Listing):
        parts = _grouped_assignments(node) or [unlabelled(item) for item in node.items]
    elif isinstance(node, SetOperation) and node.kind == "union":
        left, right = solutions(node.left), solutions(node.right)
        return None if left is None or right is None else left + right
    elif isinstance(node, Relation) and node.operators == ("in",) and len(node.sides) == 2:
        return solutions(node.sides[1])
    elif isinstance(node, NamedSet) and not node.name:
        return []
    elif isinstance(node, Relation) and any(isinstance(p, PlusMinus) for p in walk(node)):
        parts = [unlabelled(node)]
    elif any(isinstance(part, PlusMinus) for part in walk(node)):
        parts = [node]
    else:
        return None
    values = [value for part in parts for value in expanded(part)]
    if len(values) > MAX_ITEMS:
        raise AnswerError(f"more than {MAX_ITEMS} values")
    if any(isinstance(value, Relation | SetOperation) for value in values):
        return None
    return values


def _grouped_assignments(node: Listing) -> list[Node] | None:
    """``p=5, q=2; p=7, q=2`` as the tuples (5, 2) and (7, 2)."""
    names, values = [], []
    for item in node.items:
        if not isinstance(item, Relation) or item.operators != ("=",):
            return None
        if not isinstance(item.sides[0], Symbol):
            return None
        names.append(item.sides[0].name)
        values.append(item.sides[1])
    size = len(set(names))
    if (
        size < 2
        or len(names) == size
        or len(names) % size
        or names != names[:size] * (len(names) // size)
    ):
        return None
    order = sorted(range(size), key=lambda i: names[i])
    return [
        Bracket("(", ")", tuple(values[start + i] for i in order))
        for start in range(0, len(values), size)
    ]


def unlabelled(node: Node) -> Node:
    """Return the right side of ``x = …``, and other nodes as they are."""
    if isinstance(node, Relation) and node.operators in (("=",), ("~",), ("in",)):
        value = node.sides[1]
        if node.operators == ("in",):
            if isinstance(value, SetOf) and len(value.items) == 1:
                return value.items[0]
            return node
        return value
    return node


def assignments(node: Node) -> dict[str, Node] | None:
    """Return ``x = 1, y = 2`` as a table; None unless each item gives another variable a value."""
    if not isinstance(node, Listing) or node.connective == "or":
        return None
    table: dict[str, Node] = {}
    for item in node.items:
        if not isinstance(item, Relation) or item.operators not in (("=",), ("~",)):
            return None
        label = item.sides[0]
        if not isinstance(label, Symbol) or label.name in table:
            return None
        table[label.name] = item.sides[1]
    return table


def same_in_any_order(expected: list[Node], found: list[Node], same: Same) -> bool:
    """Whether two lists hold the same values, in any order and however often."""
    return _covers(expected, found, same) and _covers(
        found, expected, lambda one, other: same(other, one)
    )


def _covers(values: list[Node], by: list[Node], same: Same) -> bool:
    return all(any(same(value, other) for other in by) for value in values)


def same_in_order(expected: tuple[Node, ...], found: tuple[Node, ...], same: Same) -> bool:
    """Whether two tuples are the same item by item."""
    return len(expected) == len(found) and all(
        same(one, other) for one, other in zip(expected, found, strict=True)
    )


def as_tuple(node: Node) -> tuple[Node, ...] | None:
    """Return the items of a tuple or a vector, or values in the order of their variables' names."""
    if isinstance(node, Bracket):
        return node.items
    if isinstance(node, Relation) and node.operators == ("=",):
        return as_tuple(node.sides[1])
    rows = as_rows(node) if isinstance(node, Matrix | Product) else None
    if rows is not None:
        if len(rows) == 1:
            return rows[0]
        return tuple(row[0] for row in rows) if len(rows[0]) == 1 else None
    table = assignments(node)
    if table is not None:
        return tuple(table[name] for name in sorted(table))
    if isinstance(node, Listing) and node.connective != "or":
        return node.items
    if isinstance(node, Ratio):
        return None
    return None


def as_rows(node: Node) -> tuple[tuple[Node, ...], ...] | None:
    """Return the rows of a matrix: one written out, with a factor before it, or as nested lists."""
    if isinstance(node, Matrix):
        return node.rows
    if isinstance(node, Product):
        return _scaled_rows(node)
    if isinstance(node, Relation) and node.operators == ("=",):
        return as_rows(node.sides[1])
    if isinstance(node, Bracket) and all(isinstance(item, Bracket) for item in node.items):
        return tuple(item.items for item in node.items if isinstance(item, Bracket))
    return None


def _scaled_rows(node: Product) -> tuple[tuple[Node, ...], ...] | None:
    """The rows of a scalar times a matrix."""
    matrices = [factor for factor in node.factors if isinstance(factor, Matrix)]
    scalars = tuple(factor for factor in node.factors if not isinstance(factor, Matrix))
    if len(matrices) != 1 or any(isinstance(part, Matrix) for f in scalars for part in walk(f)):
        return None
    return tuple(tuple(Product((*scalars, cell)) for cell in row) for row in matrices[0].rows)
