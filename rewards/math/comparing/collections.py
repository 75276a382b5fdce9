"""Several values at once: solutions in any order, assignments, plus-minus, matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise, product, repeat

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
_MAX_SIGNS = 6
Same = Callable[[Node, Node], bool]
Orders = tuple[tuple[str, ...], ...]


def expanded(node: Node, *, paired: bool = False) -> list[Node]:
    """Return every reading of the plus-minus signs in ``node``, or ``node`` alone without any.

    The signs are independent of each other. They are taken together, all upper ones and then all
    lower ones, with ``paired``, with a minus-plus among them, and on both sides of an equation.

    Raises AnswerError for more signs than are read.
    """
    signs = [part for part in walk(node) if isinstance(part, PlusMinus)]
    if not signs:
        return [node]
    if paired or any(sign.inverted for sign in signs) or _on_both_sides(node):
        return [_signed(node, repeat(upper)) for upper in (True, False)]
    if len(signs) > _MAX_SIGNS:
        raise AnswerError(f"more than {_MAX_SIGNS} plus-minus signs")
    return [_signed(node, iter(choice)) for choice in product((True, False), repeat=len(signs))]


def _on_both_sides(node: Node) -> bool:
    return isinstance(node, Relation) and all(map(has_plus_minus, node.sides))


def has_plus_minus(node: Node) -> bool:
    """Whether a plus-minus sign stands anywhere in ``node``."""
    return any(isinstance(part, PlusMinus) for part in walk(node))


def _signed(node: Node, choices: Iterator[bool]) -> Node:
    """``node`` with the upper sign for each True and the lower one for each False."""

    def each(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple([_signed(part, choices) for part in nodes])

    if isinstance(node, PlusMinus):
        upper = next(choices)
        operand = _signed(node.operand, choices)
        return operand if upper != node.inverted else _negated(operand)
    if isinstance(node, Sum):
        return Sum(each(node.terms))
    if isinstance(node, Product):
        return Product(each(node.factors))
    if isinstance(node, Power):
        return Power(*each((node.base, node.exponent)))
    if isinstance(node, Call):
        return Call(node.name, each(node.arguments))
    if isinstance(node, Quantity):
        return Quantity(_signed(node.value, choices), node.unit, node.noun)
    if isinstance(node, Relation):
        return Relation(node.operators, each(node.sides))
    if isinstance(node, Bracket):
        return Bracket(node.opening, node.closing, each(node.items))
    return node


def _negated(node: Node) -> Node:
    if isinstance(node, Bracket):
        return Bracket(node.opening, node.closing, tuple(map(negated, node.items)))
    return negated(node)


def solutions(node: Node, *, paired: bool = False) -> list[Node] | None:
    """Return the values of a finite set or list, without labels; None for any other node.

    paired: whether plus-minus signs go together.
    """
    if isinstance(node, SetOf):
        parts: list[Node] = list(node.items)
    elif isinstance(node, Listing):
        parts = _grouped_assignments(node) or _unlabelled_items(node.items)
    elif isinstance(node, SetOperation) and node.kind == "union":
        left, right = (solutions(side, paired=paired) for side in (node.left, node.right))
        return None if left is None or right is None else left + right
    elif isinstance(node, Relation) and node.operators == ("in",) and len(node.sides) == 2:
        return solutions(node.sides[1], paired=paired)
    elif isinstance(node, NamedSet) and not node.name:
        return []
    elif isinstance(node, Relation) and has_plus_minus(node.sides[0]):
        return None
    elif has_plus_minus(node):
        parts = [unlabelled(node)]
    else:
        return None
    values = [value for part in parts for value in expanded(part, paired=paired)]
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


def _unlabelled_items(items: tuple[Node, ...]) -> list[Node]:
    """Values without labels; ``(y, x) = (1, 2), (3, 4)`` with all tuples in the order x, y."""
    label = items[0].sides[0] if isinstance(items[0], Relation) else None
    names = _names_in(label) if isinstance(label, Bracket) else None
    values = [unlabelled(item) for item in items]
    if names is None or not _is_run(sorted(names)):
        return values
    order = sorted(range(len(names)), key=lambda i: names[i])
    return [
        Bracket(value.opening, value.closing, tuple(value.items[i] for i in order))
        if isinstance(value, Bracket) and len(value.items) == len(names)
        else value
        for value in values
    ]


def _names_in(label: Bracket) -> list[str] | None:
    """The letters of ``(x, y, z)``, each once; None for any other tuple."""
    names = [item.name for item in label.items if isinstance(item, Symbol)]
    return names if len(set(names)) == len(label.items) else None


def assignments(node: Node) -> dict[str, Node] | None:
    """Return ``x = 1, y = 2`` or ``(x, y) = (1, 2)`` as a table in the order of the text.

    The value of a function is its whole equation, whose variable may have another name. None
    unless each item gives another name a value.
    """
    if isinstance(node, Relation):
        return _assigned_tuple(node)
    if not isinstance(node, Listing) or node.connective == "or":
        return None
    table: dict[str, Node] = {}
    for item in node.items:
        if not isinstance(item, Relation) or item.operators not in (("=",), ("~",)):
            return None
        name = _name_of(item.sides[0])
        if name is None or name in table:
            return None
        table[name] = item if name.endswith("()") else item.sides[1]
    return table


def _name_of(label: Node) -> str | None:
    """The name of what a label stands for: x, ``f()`` for f(x), AB, ``angle A``; else None."""
    if isinstance(label, Call) and label.name == "abs":
        return _name_of(label.arguments[0])
    if isinstance(label, Symbol):
        return label.name
    if not isinstance(label, Product):
        return None
    names = [_name_of(factor) for factor in label.factors]
    if None in names:
        return None
    is_function = len(names) == 2 and label.factors[0] != Symbol("angle")
    if is_function and str(names[1]).islower():
        return f"{names[0]}()"
    return " ".join(map(str, names))


def _assigned_tuple(node: Relation) -> dict[str, Node] | None:
    if node.operators not in (("=",), ("~",)):
        return None
    label, value = node.sides
    if not isinstance(label, Bracket) or not isinstance(value, Bracket):
        return None
    names = _names_in(label)
    if names is None or len(names) != len(value.items):
        return None
    return dict(zip(names, value.items, strict=True))


def values_in_order(table: dict[str, Node], orders: Orders) -> tuple[Node, ...]:
    """Return the values of labelled items in the order that unlabelled ones would have.

    That is the order in which the question lists the letters; else the alphabet's, where the
    letters follow each other in it (x, y, z or x_1, x_2); else the order of the text.
    """
    names = list(table)
    for order in reversed(orders):
        if len(order) == len(names) and set(order) == set(names):
            return tuple(table[name] for name in order)
    if _is_run(sorted(names)):
        names.sort()
    return tuple(table[name] for name in names)


def _is_run(names: list[str]) -> bool:
    if len({name.partition("_")[0] for name in names}) == 1:
        return True
    return len({name[:-1] for name in names}) == 1 and all(
        ord(after[-1]) - ord(before[-1]) == 1 for before, after in pairwise(names)
    )


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


def as_tuple(node: Node, orders: Orders = ()) -> tuple[Node, ...] | None:
    """Return the items of a tuple or a vector, or labelled values in their letters' order.

    orders: the lists of letters in the question.
    """
    if isinstance(node, Bracket):
        is_half_open = (node.opening, node.closing) in (("(", "]"), ("[", ")"))
        return None if is_half_open else node.items
    table = assignments(node)
    if table is not None:
        return values_in_order(table, orders)
    if isinstance(node, Relation) and node.operators == ("=",):
        return as_tuple(node.sides[1])
    rows = as_rows(node) if isinstance(node, Matrix | Product) else None
    if rows is not None:
        if len(rows) == 1:
            return rows[0]
        return tuple(row[0] for row in rows) if len(rows[0]) == 1 else None
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
