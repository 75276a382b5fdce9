r"""Statements with quantifiers: ``\forall x \in \mathbb{R}, x^2 \ge 0``."""

from __future__ import annotations

from collections.abc import Callable

from rewards.math.reading.cursor import Cursor
from rewards.math.tree import Listing, NamedSet, Node, Relation, Statement, Symbol

_RELATIONS = frozenset(["in", "notin", "<", ">", "<=", ">=", "!="])
_SETS = frozenset("RZNQC")
_SEPARATORS = frozenset([",", ":", ";"])
_SUCH_THAT = frozenset(
    [
        "such",
        "that",
        "st",
        "s",
        "t",
        "have",
        "has",
        "holds",
        "有",
        "使",
        "使得",
        "都有",
        "恒有",
        "均有",
        "满足",
    ]
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")

Read = Callable[[Cursor], Node]


def at_quantifier(cursor: Cursor) -> bool:
    """Whether a statement with a quantifier begins here."""
    return cursor.at_command("forall", "exists")


def read_statement(cursor: Cursor, read_clause: Read, read_claim: Read) -> Node:
    """Read a quantifier, what it binds, and the claim; without a claim, what is bound alone.

    read_clause, read_claim: the readers of one side and of a whole claim.
    """
    cursor.descend()
    quantifier = cursor.take().text
    names = [_read_name(cursor)]
    while cursor.at(",") and cursor.peek().kind == "name" and _goes_on(cursor):
        cursor.position += 1
        names.append(_read_name(cursor))
    bound = tuple(names)
    if cursor.token.kind == "op" and cursor.token.text in _RELATIONS:
        operator = cursor.take().text
        outer_limit = cursor.limit
        cursor.limit = _end_of_binder(cursor)
        value = read_clause(cursor)
        cursor.limit = outer_limit
        if operator == "in" and isinstance(value, Symbol) and value.name in _SETS:
            value = NamedSet(value.name)
        bound = tuple(Relation((operator,), (name, value)) for name in names)
    binder = bound[0] if len(bound) == 1 else Listing(",", bound)
    separated = _pass_separators(cursor)
    if cursor.token.kind == "end":
        cursor.depth -= 1
        return binder
    if not separated and not at_quantifier(cursor):
        cursor.fail("expected a comma before the claim")
    statement = Statement(quantifier, binder, read_claim(cursor))
    cursor.depth -= 1
    return statement


def _read_name(cursor: Cursor) -> Node:
    if cursor.token.kind != "name":
        cursor.fail("expected a bound variable")
    node = cursor.grammar.kinds["name"](cursor)
    if not isinstance(node, Symbol):
        cursor.fail("expected a bound variable")
    return node


def _goes_on(cursor: Cursor) -> bool:
    """Whether the letter after the comma here is bound too: another comma or a set follows it."""
    return cursor.peek(2).text in _RELATIONS | {","} and cursor.peek(2).text in ("in", ",")


def _end_of_binder(cursor: Cursor) -> int:
    depth, index = 0, cursor.position
    while index < cursor.limit:
        token = cursor.tokens[index]
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        separates = token.text in _SEPARATORS or token.text in _SUCH_THAT
        if depth == 0 and (separates or token.text in ("forall", "exists")):
            return index
        index += 1
    return index


def _pass_separators(cursor: Cursor) -> bool:
    start = cursor.position
    while (
        (cursor.token.kind == "op" and cursor.token.text in _SEPARATORS)
        or (
            cursor.token.kind in ("word", "name")
            and cursor.token.upright
            and cursor.token.text in _SUCH_THAT
        )
        or (cursor.token.kind == "word" and cursor.token.text in _SUCH_THAT)
    ):
        cursor.position += 1
    return cursor.position > start
