"""LaTeX commands with arguments of their own: fractions, floors, bars, and marked letters."""

from __future__ import annotations

from rewards.math.reading.big_operators import at_derivative, read_derivative
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.expressions import read_argument, read_primary, read_sum
from rewards.math.tree import Call, NamedSet, Node, Product, Sum, Symbol, divided


def read_fraction(cursor: Cursor) -> Node:
    r"""Read ``\frac{1}{2}``, or the derivative that ``\frac{d}{dx}`` takes of what follows."""
    cursor.position += 1
    if at_derivative(cursor):
        return read_derivative(cursor)
    numerator = read_argument(cursor)
    return divided(numerator, read_argument(cursor))


def read_barred(cursor: Cursor) -> Node:
    """Read what stands under a bar: a conjugate, or the name of a segment."""
    cursor.position += 1
    node = read_argument(cursor)
    return Call("conj", (node,)) if isinstance(node, Symbol | Sum) else node


def read_vector(cursor: Cursor) -> Node:
    r"""Read ``\vec a`` as the letter alone."""
    cursor.position += 1
    return read_argument(cursor)


def read_rounded(cursor: Cursor) -> Node:
    r"""Read ``\lfloor x \rfloor`` and ``\lceil x \rceil``."""
    name = cursor.take().text
    node = read_sum(cursor)
    if not cursor.at_command("rfloor", "rceil"):
        cursor.fail("expected a closing bracket")
    cursor.position += 1
    return Call("floor" if name == "lfloor" else "ceil", (node,))


def read_labelled(cursor: Cursor) -> Node:
    r"""Read ``\angle A`` and ``\triangle ABC`` as the sign times the letters."""
    name = "triangle" if cursor.take().text == "triangle" else "angle"
    return Product((Symbol(name), read_primary(cursor)))


def read_empty_set(cursor: Cursor) -> Node:
    r"""Read ``\emptyset``."""
    cursor.position += 1
    return NamedSet("")
