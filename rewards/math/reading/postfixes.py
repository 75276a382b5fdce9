"""What may follow a value: signs of a factorial, percent, degrees, and primes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from rewards.math.reading.cursor import Cursor
from rewards.math.reading.letters import primed
from rewards.math.tree import Call, Node, Number, Symbol, divided


def read_postfixes(cursor: Cursor, node: Node) -> Node:
    """Read all the postfixes that stand here, and return ``node`` with them."""
    while True:
        token = cursor.token
        readers = _POSTFIXES.get(token.kind)
        if readers is None:
            return node
        reader = readers.get(token.text.lower() if token.kind == "word" else token.text)
        if reader is None or (reader is _read_prime and not isinstance(node, Symbol)):
            return node
        node = reader(cursor, node)


def read_raised_mark(cursor: Cursor, node: Node) -> Node | None:
    r"""Read what follows the caret in ``x^\circ`` and ``x^\prime``; None for an exponent."""
    if cursor.at_command("circ", "degree"):
        cursor.position += 1
        return Call("degree", (node,))
    if cursor.at("{") and cursor.peek().text in ("circ", "degree") and cursor.peek(2).text == "}":
        cursor.position += 3
        return Call("degree", (node,))
    if cursor.at_command("prime") or cursor.at("'"):
        return _read_prime(cursor, node)
    return None


def _read_factorial(cursor: Cursor, node: Node) -> Node:
    """``n!`` or the double factorial ``n!!``; longer runs mean nothing that is meant."""
    double = cursor.peek().text == "!"
    cursor.position += 1 + double
    if double and cursor.at("!"):
        cursor.fail("expected at most two signs of a factorial")
    return Call("factorial2" if double else "factorial", (node,))


def _read_prime(cursor: Cursor, node: Node) -> Node:
    cursor.position += 1
    return primed(node)


def _read_percent(cursor: Cursor, node: Node) -> Node:
    cursor.position += 1
    return Call("percent", (node,))


def _read_permille(cursor: Cursor, node: Node) -> Node:
    cursor.position += 1
    return divided(node, Number(Fraction(1000)))


def _read_degree(cursor: Cursor, node: Node) -> Node:
    cursor.position += 1
    return Call("degree", (node,))


# Kind of a token → its text (of a word, in lower case) → what reads it.
_POSTFIXES: dict[str, dict[str, Callable[[Cursor, Node], Node]]] = {
    "op": {"!": _read_factorial, "%": _read_percent, "'": _read_prime},
    "cmd": {"degree": _read_degree, "permille": _read_permille},
    "word": dict.fromkeys(("percent", "pct", "percentage", "pct."), _read_percent),
}
