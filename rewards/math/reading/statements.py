"""Whole answers: lists, relations, sets, ratios, congruences, matrices, quantities, words."""

from __future__ import annotations

import re
from fractions import Fraction

from rewards import english
from rewards.errors import AnswerError
from rewards.math.reading import big_operators, commands, functions
from rewards.math.reading.cleaning import clean, strip_phrases
from rewards.math.reading.compound import compound_quantity
from rewards.math.reading.cursor import Grammar
from rewards.math.reading.lexer import MAX_CHARACTERS, PLAIN_READING, Reading, Token, tokenize
from rewards.math.reading.structures import StructureParser, filled_in
from rewards.math.reading.unit_names import CURRENCY_SIGNS, UNITS
from rewards.math.reading.unit_parsing import TrailingUnit, trailing_unit
from rewards.math.tree import (
    Bracket,
    Congruence,
    Constant,
    Listing,
    Matrix,
    NamedSet,
    Node,
    Number,
    Quantity,
    Ratio,
    Relation,
    SetOf,
    SetOperation,
    Words,
    walk,
)

MAX_NODES = 1000
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
_BASED = re.compile(
    r"\(?([0-9][0-9A-Fa-f]*|[A-F]{1,16}(?=\)?_\{?16)|[A-Fa-f][0-9A-Fa-f]*[0-9][0-9A-Fa-f]*)\)?_\{?(?:\\text\{)?(\d{1,2}|[a-z]+)\}{0,2}"
)
_BASE_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_BASE_WORDS |= {"nine": 9, "ten": 10}
_BASE_WORDS |= {"twelve": 12, "sixteen": 16, "bin": 2, "oct": 8, "hex": 16, "dec": 10}
_APPROXIMATELY = re.compile(
    r"^(?:approximately|approx\.?|about|roughly|around|大约|约为|约)\s*(?=[-\d\\$.])", re.IGNORECASE
)


def parse(text: str, reading: Reading = PLAIN_READING) -> Node:
    """Read a whole answer. Raises AnswerError when it is none, or beyond the limits."""
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"longer than {MAX_CHARACTERS} characters")
    cleaned = _APPROXIMATELY.sub(r"\\approx ", strip_phrases(clean(text)))
    based = _BASED.fullmatch(cleaned)
    if based:
        return _in_base(*based.groups())
    compound = compound_quantity(cleaned)
    if compound is not None:
        return compound
    parser = StatementParser(tokenize(cleaned, reading), _GRAMMAR)
    try:
        node = parser.statement()
    except RecursionError as error:
        raise AnswerError("nested too deep") from error
    if sum(1 for _ in walk(node)) > MAX_NODES:
        raise AnswerError(f"more than {MAX_NODES} nodes")
    return node


def _in_base(digits: str, base_text: str) -> Node:
    base = int(base_text) if base_text.isdigit() else _BASE_WORDS.get(base_text, 0)
    if not 2 <= base <= 36:
        raise AnswerError(f"not a base: {base_text}")
    try:
        return Number(Fraction(int(digits, base)), base=base)
    except ValueError as error:
        raise AnswerError(f"digits beyond base {base}") from error


class StatementParser(StructureParser):
    """Adds to expressions what an answer as a whole may be."""

    def statement(self) -> Node:
        """Read to the end of the tokens."""
        node = self.listing()
        if self.token.kind != "end":
            self.fail("expected the end")
        return node

    def listing(self) -> Node:
        items, connectives = [self.clause()], []
        while (connective := self._connective()) is not None:
            if self.token.kind == "end":
                break
            connectives.append(connective)
            items.append(self.clause())
        if len(items) == 1:
            return items[0]
        items = list(filled_in(tuple(items)))
        for connective in ("or", "and"):
            if connective in connectives:
                return Listing(connective, tuple(items))
        return Listing(",", tuple(items))

    def _connective(self) -> str | None:
        """Pass over ", and", "or", ";" and the like."""
        found: str | None = None
        while True:
            token = self.token
            name = _CONNECTIVES.get(token.text) if token.kind in ("word", "cmd", "op") else None
            if token.kind == "op" and token.text in _SEPARATORS:
                found = found or ","
            elif name is not None:
                found = name
            else:
                return found
            self.position += 1

    def clause(self) -> Node:
        """Sides with relations between them, and a modulus after them."""
        if self.at("~"):  # "≈ 2.83"
            self.position += 1
            return Relation(("~",), (Words("value"), self._side()))
        sides, operators = [self._side()], []
        while self.token.kind == "op" and self.token.text in _RELATIONS:
            operators.append(self.take().text)
            sides.append(self._side())
        modulus = self._modulus()
        if modulus is not None:
            if not operators:
                return Congruence(None, sides[0], modulus)
            if len(sides) == 2 and operators[0] in ("equiv", "="):
                return Congruence(sides[0], sides[1], modulus)
            raise AnswerError("a modulus out of place")
        if "equiv" in operators:
            operators = ["=" if operator == "equiv" else operator for operator in operators]
        return Relation(tuple(operators), tuple(sides)) if operators else sides[0]

    def _modulus(self) -> Node | None:
        r"""``\pmod{7}``, ``\mod 7``, ``(mod 7)`` or ``mod 7``."""
        if self.at_command("pmod", "mod", "bmod"):
            self.position += 1
            return self.argument() if self.at("{") else self.factor()
        if self.token.kind == "word" and self.token.text == "mod":
            self.position += 1
            return self.factor()
        opened = self.at("(") and self.peek().text in ("mod", "bmod")
        if not opened:
            return None
        self.position += 2
        modulus = self.factor()
        self.expect(")")
        return modulus

    # -- one side of a relation

    def _side(self) -> Node:
        """Operands with set operations between them."""
        node = self._operand()
        while True:
            token = self.token
            if not self._is_set_operation(self.position):
                return node
            if token.text == "\\" and self.environments:
                return node  # a new row, not a set difference
            self.position += 1
            node = SetOperation(_UNION.get(token.text, "union"), node, self._operand())

    def _is_set_operation(self, index: int) -> bool:
        """A set operation's sign or word, or a capital U between brackets."""
        token = self.tokens[index]
        if token.kind in ("cmd", "word"):
            return token.text in _UNION
        return (
            (token.kind, token.text) == ("name", "U")
            and index > 0
            and self.tokens[index - 1].text in (")", "]", "}")
            and (self.tokens[index + 1].kind, self.tokens[index + 1].text) in _OPENING
        )

    def _operand(self) -> Node:
        """A ratio or a quantity, within the tokens up to the next separator."""
        end = self._segment_end()
        words = self._words(end)
        if words is not None:
            return words
        outer_limit = self.limit
        self.limit = end
        try:
            return self._quantity()
        finally:
            self.limit = outer_limit

    def _segment_end(self) -> int:
        """Where the operand that starts here ends: at a separator outside brackets."""
        depth, index = 0, self.position
        while index < self.limit:
            token = self.tokens[index]
            if token.text == "(" and self.tokens[index + 1].text in _MODULI:
                break
            if (token.kind, token.text) in _OPENING:
                depth += 1
            elif (token.kind, token.text) in _CLOSING:
                depth -= 1
                if depth < 0:
                    break
            elif depth == 0 and self._separates(token, index):
                break
            index += 1
        return index

    def _separates(self, token: Token, index: int) -> bool:
        if token.kind == "op":
            return token.text in _RELATIONS or token.text in _SEPARATORS or token.text == "&"
        if token.kind == "cmd":
            return token.text in _SEPARATING_COMMANDS
        if token.kind != "word":
            return self._is_set_operation(index)
        return token.text in _CONNECTIVES or (token.text in _UNION and index > self.position)

    def _words(self, end: int) -> Words | None:
        """Text, when nothing but words stands before ``end``."""
        tokens = self.tokens[self.position : end]
        if not tokens or any(token.kind not in ("word", "name", "num", "op") for token in tokens):
            return None
        words = [token for token in tokens if token.kind == "word"]
        if not words or tokens[0].kind != "word":
            return None
        if not all(t.kind in ("word", "name") or t.text in ("'", "-", "_", '"') for t in tokens):
            return None
        if words[0].text in CURRENCY_SIGNS or not any(_is_word(token) for token in words):
            return None
        self.position = end
        text = " ".join(token.text for token in tokens if token.text not in ("'", '"', "_", "-"))
        return Words(text.lower())

    def _quantity(self) -> Node:
        """An expression with a unit or a counted noun after it, or a currency before it."""
        currency = ""
        sign = 1 if self.at("-") and self.peek().text in CURRENCY_SIGNS else 0
        if self.tokens[self.position + sign].text in CURRENCY_SIGNS:
            currency = UNITS[self.tokens[self.position + sign].text]
            del self.tokens[self.position + sign]
            self.limit -= 1
        unit = trailing_unit(self.tokens[self.position : self.limit])
        outer_limit = self.limit
        self.limit -= unit.num_tokens
        node = self._ratio()
        if self.position < self.limit:
            self.fail("expected an operator")
        self.limit = outer_limit
        self.position += unit.num_tokens
        return _with_unit(node, unit, currency)

    def _ratio(self) -> Node:
        parts = [self.sum()]
        while self.at(":") or (self.token.kind == "word" and self.token.text == "to"):
            self.position += 1
            parts.append(self.sum())
        return parts[0] if len(parts) == 1 else Ratio(tuple(parts))


def _is_word(token: Token) -> bool:
    """Whether a word token is text rather than a product of variables."""
    text = token.text.lower()
    return (
        token.upright
        or len(text) > 3
        or text in ("yes", "no", "dne")
        or english.number(text) is not None
    )


def _with_unit(node: Node, unit: TrailingUnit, currency: str) -> Node:
    factors = unit.factors
    if currency and not factors:
        factors = ((currency, Fraction(1)),)
    if not factors and not unit.noun:
        return node
    if isinstance(node, NamedSet | SetOf | Bracket | Matrix | Constant):
        return node
    return Quantity(node, factors, unit.noun)


_GRAMMAR = Grammar(
    kinds={
        "num": StatementParser._number,
        "name": StatementParser._symbol,
        "const": StatementParser.constant,
        "func": functions.read_function,
        "set": StatementParser.named_set,
        "word": StatementParser._letters,
    },
    operators={
        "(": StatementParser.bracket,
        "[": StatementParser.bracket,
        "{": StatementParser.group,
        "|": StatementParser._absolute,
        "...": StatementParser.ellipsis,
    },
    commands={
        "frac": commands.read_fraction,
        "root": functions.read_root_sign,
        "cbrt": functions.read_root_sign,
        "overline": commands.read_barred,
        "bar": commands.read_barred,
        "vec": commands.read_vector,
        "lfloor": commands.read_rounded,
        "lceil": commands.read_rounded,
        "emptyset": commands.read_empty_set,
        "varnothing": commands.read_empty_set,
        "angle": commands.read_labelled,
        "triangle": commands.read_labelled,
        "langle": commands.read_angled,
        "int": big_operators.read_big_operator,
        "sum": big_operators.read_big_operator,
        "prod": big_operators.read_big_operator,
        "lim": big_operators.read_big_operator,
        "begin": StatementParser.environment,
        "{": StatementParser.braced_set,
    },
)
