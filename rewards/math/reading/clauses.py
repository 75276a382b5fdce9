"""Clauses and lists of them: sides with relations or set operations between them, a modulus."""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.ellipsis import filled_in
from rewards.math.reading.expressions import read_argument, read_factor
from rewards.math.reading.lexer import Token
from rewards.math.reading.quantifiers import at_quantifier, read_statement
from rewards.math.reading.quantities import read_quantity, read_words
from rewards.math.tree import Call, Congruence, Listing, Node, Relation, SetOperation, Words

_RELATIONS = frozenset(["=", "!=", "<", ">", "<=", ">=", "in", "notin", "~", "equiv"])
_MODULI = frozenset(["pmod", "mod", "bmod"])
_SEPARATORS = frozenset([",", ";"])
_OPENING = {
    ("op", "("),
    ("op", "["),
    ("op", "{"),
    ("cmd", "{"),
    ("cmd", "langle"),
    ("cmd", "begin"),
}
_CLOSING = {("op", ")"), ("op", "]"), ("op", "}"), ("cmd", "}"), ("cmd", "rangle"), ("cmd", "end")}
_CONNECTIVES = {"and": "and", "or": "or", "land": "and", "wedge": "and", "lor": "or", "vee": "or"}
_CONNECTIVES |= {"&": "and", "或": "or", "或者": "or", "和": "and", "且": "and", "与": "and"}
_CONNECTIVES |= {"及": "and", "以及": "and", "并且": "and"}
_UNION = {"cup": "union", "bigcup": "union", "cap": "intersection", "setminus": "difference"}
_UNION |= {"backslash": "difference", "smallsetminus": "difference", "union": "union"}
_UNION |= {"\\": "difference", "intersection": "intersection"}
_SEPARATING_COMMANDS = frozenset([*_CONNECTIVES, *_UNION, *_MODULI, "choose"])


def read_listing(cursor: Cursor) -> Node:
    """Read clauses with connectives between them, or the only clause, or a statement."""
    if at_quantifier(cursor):
        return read_statement(cursor, read_clause, read_listing)
    items, connectives = [read_clause(cursor)], []
    while (connective := _pass_connective(cursor)) is not None:
        if cursor.token.kind == "end":
            break
        connectives.append(connective)
        items.append(read_clause(cursor))
    if len(items) == 1:
        return items[0]
    items = list(filled_in(tuple(items)))
    for connective in ("or", "and"):
        if connective in connectives:
            return Listing(connective, tuple(items))
    return Listing(",", tuple(items))


def _pass_connective(cursor: Cursor) -> str | None:
    """Pass over ", and", "or", ";" and the like."""
    found: str | None = None
    while True:
        token = cursor.token
        name = _CONNECTIVES.get(token.text) if token.kind in ("word", "cmd", "op") else None
        if token.kind == "op" and token.text in _SEPARATORS:
            found = found or ","
        elif name is not None:
            found = name
        else:
            return found
        cursor.position += 1


def read_clause(cursor: Cursor) -> Node:
    """Read sides with relations between them, and a modulus after them."""
    if cursor.at("~"):  # "≈ 2.83"
        cursor.position += 1
        return Relation(("~",), (Words("value"), _read_side(cursor)))
    sides, operators = [_read_remainder(cursor)], []
    while cursor.token.kind == "op" and cursor.token.text in _RELATIONS:
        operators.append(cursor.take().text)
        sides.append(_read_side(cursor))
    modulus = _read_modulus(cursor)
    if modulus is not None:
        if not operators:
            return Congruence(None, sides[0], modulus)
        if len(sides) == 2 and operators[0] in ("equiv", "="):
            return Congruence(sides[0], sides[1], modulus)
        raise AnswerError("a modulus out of place")
    if "equiv" in operators:
        operators = ["=" if operator == "equiv" else operator for operator in operators]
    return Relation(tuple(operators), tuple(sides)) if operators else sides[0]


def _read_remainder(cursor: Cursor) -> Node:
    r"""Read a side, or the remainder ``a \bmod b`` where an equals sign follows it."""
    side = _read_side(cursor)
    if not cursor.at_command("bmod", "mod"):
        return side
    start = cursor.position
    modulus = _read_modulus(cursor)
    assert modulus is not None
    if cursor.at("="):
        return Call("mod", (side, modulus))
    cursor.position = start
    return side


def read_items(cursor: Cursor) -> tuple[Node, ...]:
    """Read clauses with commas or semicolons between them."""
    found = [read_clause(cursor)]
    while cursor.at(",", ";"):
        cursor.position += 1
        found.append(read_clause(cursor))
    return tuple(found)


def _read_modulus(cursor: Cursor) -> Node | None:
    r"""Read ``\pmod{7}``, ``\mod 7``, ``(mod 7)`` or ``mod 7``."""
    if cursor.at_command("pmod", "mod", "bmod"):
        cursor.position += 1
        return read_argument(cursor) if cursor.at("{") else read_factor(cursor)
    if cursor.token.kind == "word" and cursor.token.text == "mod":
        cursor.position += 1
        return read_factor(cursor)
    opened = cursor.at("(") and cursor.peek().text in ("mod", "bmod")
    if not opened:
        return None
    cursor.position += 2
    modulus = read_factor(cursor)
    cursor.expect(")")
    return modulus


def _read_side(cursor: Cursor) -> Node:
    """Read operands with set operations between them."""
    node = _read_operand(cursor)
    while True:
        token = cursor.token
        if not _is_set_operation(cursor, cursor.position):
            return node
        if token.text == "\\" and cursor.environments:
            return node  # a new row, not a set difference
        cursor.position += 1
        node = SetOperation(_UNION.get(token.text, "union"), node, _read_operand(cursor))


def _is_set_operation(cursor: Cursor, index: int) -> bool:
    """A set operation's sign or word, or a capital U between brackets."""
    token = cursor.tokens[index]
    if token.kind in ("cmd", "word"):
        return token.text in _UNION
    return (
        (token.kind, token.text) == ("name", "U")
        and index > 0
        and cursor.tokens[index - 1].text in (")", "]", "}")
        and (cursor.tokens[index + 1].kind, cursor.tokens[index + 1].text) in _OPENING
    )


def _read_operand(cursor: Cursor) -> Node:
    """Read words or a quantity, within the tokens up to the next separator."""
    end = _segment_end(cursor)
    words = read_words(cursor, end)
    if words is not None:
        return words
    outer_limit = cursor.limit
    cursor.limit = end
    try:
        return read_quantity(cursor)
    finally:
        cursor.limit = outer_limit


def _segment_end(cursor: Cursor) -> int:
    """Return the index where the operand ends that starts here: at a separator outside brackets."""
    depth, index = 0, cursor.position
    while index < cursor.limit:
        token = cursor.tokens[index]
        if token.text == "(" and cursor.tokens[index + 1].text in _MODULI:
            break
        if (token.kind, token.text) in _OPENING:
            depth += 1
        elif (token.kind, token.text) in _CLOSING:
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and _separates(cursor, token, index):
            break
        index += 1
    return index


def _separates(cursor: Cursor, token: Token, index: int) -> bool:
    if token.kind == "op":
        return token.text in _RELATIONS or token.text in _SEPARATORS or token.text == "&"
    if token.kind == "cmd":
        return token.text in _SEPARATING_COMMANDS
    if token.kind != "word":
        return _is_set_operation(cursor, index)
    return token.text in _CONNECTIVES or (token.text in _UNION and index > cursor.position)
