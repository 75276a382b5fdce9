"""LaTeX commands with arguments of their own: fractions, floors, bars, and marked letters."""

from __future__ import annotations

from rewards.math.reading.big_operators import at_derivative, read_derivative
from rewards.math.reading.expressions import ExpressionParser
from rewards.math.tree import Call, NamedSet, Node, Product, Sum, Symbol, divided


def read_fraction(cursor: ExpressionParser) -> Node:
    r"""``\frac{1}{2}``, or the derivative that ``\frac{d}{dx}`` takes of what follows."""
    cursor.position += 1
    if at_derivative(cursor):
        return read_derivative(cursor)
    numerator = cursor.argument()
    return divided(numerator, cursor.argument())


def read_barred(cursor: ExpressionParser) -> Node:
    """A conjugate, or the name of a segment."""
    cursor.position += 1
    node = cursor.argument()
    return Call("conj", (node,)) if isinstance(node, Symbol | Sum) else node


def read_vector(cursor: ExpressionParser) -> Node:
    r"""``\vec a`` as the letter alone."""
    cursor.position += 1
    return cursor.argument()


def read_rounded(cursor: ExpressionParser) -> Node:
    r"""``\lfloor x \rfloor`` and ``\lceil x \rceil``."""
    name = cursor.take().text
    node = cursor.sum()
    if not cursor.at_command("rfloor", "rceil"):
        cursor.fail("expected a closing bracket")
    cursor.position += 1
    return Call("floor" if name == "lfloor" else "ceil", (node,))


def read_labelled(cursor: ExpressionParser) -> Node:
    r"""``\angle A`` and ``\triangle ABC``: the sign times the letters."""
    name = cursor.take().text
    return Product((Symbol(name), cursor.primary()))


def read_empty_set(cursor: ExpressionParser) -> Node:
    r"""``\emptyset``."""
    cursor.position += 1
    return NamedSet("")
