"""The unit at the end of a quantity: how many tokens it takes and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rewards.math.reading.letters import is_product_of_letters
from rewards.math.reading.lexer import Token
from rewards.math.reading.unit_names import NOT_NOUNS, SCALE_WORDS, UNITS
from rewards.math.tree import ONE, Node, Number, Power, Product, Quantity, Symbol

MAX_UNIT_TOKENS = 24
_POWER_WORDS = {"square": 2, "squared": 2, "sq": 2, "cubic": 3, "cubed": 3, "cu": 3}
_POWER_WORDS |= {"平方": 2, "立方": 3}
_ENDING_COMMANDS = frozenset(["}", "infty", "rfloor", "rceil", "rangle"])
# Runs of letters that are products far more often than units.
_RARE_UNITS = frozenset(["cd"])
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_SIGNS = frozenset(["+", "-", "pm", "mp"])
_AFTER_VALUE = frozenset(")]}!%|'")
_TRIGONOMETRIC = {"sin", "cos", "tan", "cot", "sec", "csc"}


@dataclass(frozen=True, slots=True)
class TrailingUnit:
    """The unit or the counted noun that ends a quantity.

    num_tokens: how many tokens it takes at the end. factors: pairs of a name in Pint and an
    exponent. noun: what is counted, where it is no unit.
    """

    num_tokens: int = 0
    factors: tuple[tuple[str, Fraction], ...] = ()
    noun: str = ""


_NONE = TrailingUnit()


def trailing_unit(tokens: list[Token], variables: frozenset[str] = frozenset()) -> TrailingUnit:
    """Find the longest known unit that ends ``tokens`` and leaves a value before it.

    variables: letters that are no units.
    """
    start = _candidate_start(tokens)
    for index in range(max(1, start), len(tokens)):
        if tokens[index].text in "*/)}-(" or _cannot_precede(tokens, index):
            continue
        factors = _UnitReader(tokens[index:]).read()
        if factors is None or _is_variable(tokens[index:], variables):
            continue
        if _is_meant(tokens, index, factors, variables):
            return TrailingUnit(len(tokens) - index, factors)
    return _noun(tokens)


def with_letter_as_unit(node: Node) -> Node:
    """Return ``5m`` and ``5m^2``, read as products of a letter, as quantities.

    This is for an answer whose reference has a unit. Other nodes stay as they are.
    """
    if not isinstance(node, Product) or len(node.factors) != 2:
        return node
    value, last = node.factors
    unit, exponent = (last.base, last.exponent) if isinstance(last, Power) else (last, ONE)
    if not isinstance(unit, Symbol) or unit.name not in UNITS or not isinstance(exponent, Number):
        return node
    return Quantity(value, ((UNITS[unit.name], exponent.value),))


def _candidate_start(tokens: list[Token]) -> int:
    """The first index from which only unit-like tokens follow."""
    index = len(tokens)
    while index > 0 and len(tokens) - index < MAX_UNIT_TOKENS:
        token = tokens[index - 1]
        unit_like = (
            token.kind in ("word", "name", "num")
            or (token.kind == "op" and token.text in "*/^{}-()")
            or (token.kind == "cmd" and token.text in ("degree", "circ", "mu", "ohm", "cdot"))
            or (token.kind == "func" and token.text in ("min", "sec"))
        )
        if not unit_like:
            break
        index -= 1
    return index


def _cannot_precede(tokens: list[Token], index: int) -> bool:
    """Whether what stands before ``index`` is no complete value, or an angle's function."""
    previous = tokens[index - 1]
    if previous.kind == "op" and previous.text not in (")", "]", "}", "!", "|", "%"):
        return True
    if previous.kind == "cmd" and previous.text not in _ENDING_COMMANDS:
        return True
    if previous.text in SCALE_WORDS:
        return False
    if previous.kind in ("word", "func") or previous.text in ("\\", "frac", "sqrt", "root"):
        return True
    functions = [t for t in tokens[:index] if t.kind == "func" and t.text in _TRIGONOMETRIC]
    return bool(functions) and previous.text != ")"


def _is_meant(
    tokens: list[Token],
    index: int,
    factors: tuple[tuple[str, Fraction], ...],
    variables: frozenset[str],
) -> bool:
    """Whether letters are units rather than variables: not so in ``v_0 t - 0.5 g t^2``."""
    first = tokens[index]
    if first.text == "Omega":
        return tokens[index - 1].kind == "num"
    if first.text in _RARE_UNITS and not first.upright:
        return first.spaced and not _is_sum(tokens[:index])
    if any(len(token.text) > 1 or token.upright for token in tokens[index:] if _is_named(token)):
        return True
    if variables and any(exponent < 0 for _, exponent in factors):
        return True  # 3t + 2 m/s, where t is known to be the variable
    if any(
        token.kind == "name" or (token.kind == "word" and is_product_of_letters(token))
        for token in tokens[:index]
    ):
        return False
    if _is_sum(tokens[:index]):
        return False  # 1 + 2 h: the letter belongs to the last term only
    return first.spaced or len(factors) > 1


def _is_variable(tokens: list[Token], variables: frozenset[str]) -> bool:
    """Whether one of the letters that would be a unit is known to be a variable."""
    return bool(variables) and any(
        token.text in variables and not token.upright for token in tokens if _is_named(token)
    )


def _is_sum(tokens: list[Token]) -> bool:
    """Whether a plus or minus stands between two terms, outside brackets."""
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "op" and token.text in _OPENING:
            depth += 1
        elif token.kind == "op" and token.text in _CLOSING:
            depth -= 1
        elif depth == 0 and index and token.text in _SIGNS:
            previous = tokens[index - 1]
            if previous.kind != "op" or previous.text in _AFTER_VALUE:
                return True
    return False


def _is_named(token: Token) -> bool:
    return token.kind in ("word", "name", "cmd", "func")


def _noun(tokens: list[Token]) -> TrailingUnit:
    """Up to three words that name what was counted ("12 red marbles", "5 个")."""
    taken = 0
    while taken < min(3, len(tokens) - 1):
        token = tokens[len(tokens) - 1 - taken]
        is_noun = token.kind == "word" and token.text.lower() not in NOT_NOUNS
        if not is_noun or not (
            token.upright or len(token.text) > 3 or _follows_number(tokens, token)
        ):
            break
        taken += 1
    before = tokens[len(tokens) - 1 - taken] if taken < len(tokens) else None
    if not taken or before is None or before.kind == "func":
        return _NONE
    if before.kind == "word" and before.text not in SCALE_WORDS:
        return _NONE
    if before.kind == "op" and before.text not in (")", "}", "%"):
        return _NONE
    words = [token.text.lower() for token in tokens[len(tokens) - taken :]]
    return TrailingUnit(taken, (), " ".join(words))


def _follows_number(tokens: list[Token], token: Token) -> bool:
    index = tokens.index(token)
    return token.spaced and tokens[index - 1].kind == "num" and len(token.text) == 3


class _UnitReader:
    """Reads ``tokens`` as a product of powers of units, or not at all."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._factors: dict[str, Fraction] = {}

    def read(self) -> tuple[tuple[str, Fraction], ...] | None:
        """Return the factors, sorted; None when the tokens are no unit."""
        sign, expects = 1, True
        while self._position < len(self._tokens):
            text = self._text()
            if text in ("/", "per", "每") and not expects:
                self._position += 1
                sign, expects = -1, True
            elif text in ("*", "cdot") and not expects:
                self._position += 1
                expects = True
            elif self._one(sign):
                expects = False
            else:
                return None
        if expects:
            return None
        return tuple(sorted((n, e) for n, e in self._factors.items() if e)) or None

    def _text(self, ahead: int = 0) -> str:
        index = self._position + ahead
        return self._tokens[index].text if index < len(self._tokens) else ""

    def _one(self, sign: int) -> bool:
        power = Fraction(1)
        if self._text() in _POWER_WORDS and self._position + 1 < len(self._tokens):
            power = Fraction(_POWER_WORDS[self._text()])
            self._position += 1
        if self._text() == "(" and self._text(2) == ")" and self._position > 0:
            self._position += 1
            found = self._one(sign)
            self._position += found
            return found
        name = self._name()
        if name is None:
            return False
        name, _, built_in = name.partition("**")
        exponent = self._exponent()
        if exponent is None:
            return False
        power *= exponent * Fraction(built_in or 1)
        self._factors[name] = self._factors.get(name, Fraction(0)) + sign * power
        return True

    def _name(self) -> str | None:
        """The Pint name of the unit here, passed over."""
        text, following = self._text(), self._text(1)
        if text == "^" and following in ("circ", "degree"):
            self._position += 1
            text, following = following, self._text(1)
        if text == "^" and following == "{" and self._text(2) in ("circ", "degree"):
            self._position += 4
            return self._temperature()
        if text in ("circ", "degree", "degrees", "deg"):
            self._position += 1
            return self._temperature()
        if text == "mu" and following in ("m", "s", "g", "A", "C", "F", "L"):
            self._position += 2
            return f"micro{UNITS[following]}"
        if text in ("k", "M", "m") and following in ("ohm", "Omega"):
            self._position += 2
            return {"k": "kiloohm", "M": "megaohm", "m": "milliohm"}[text]
        if text == "Omega":
            text = "ohm"
        name = UNITS.get(text) or UNITS.get(text.lower() if len(text) > 3 else text)
        if name is None and text == "sec":
            name = "second"
        if name is not None:
            self._position += 1
        return name

    def _temperature(self) -> str:
        scale = self._text().lower()
        names = {"c": "degree_Celsius", "celsius": "degree_Celsius"}
        names |= {"f": "degree_Fahrenheit", "fahrenheit": "degree_Fahrenheit"}
        if scale not in names:
            return "degree"
        self._position += 1
        return names[scale]

    def _exponent(self) -> Fraction | None:
        """``^2``, ``^{-1}``, a digit right after the name, "squared", or nothing (1)."""
        text = self._text()
        if text in ("squared", "cubed"):
            self._position += 1
            return Fraction(_POWER_WORDS[text])
        if text in ("2", "3") and not self._tokens[self._position].spaced:
            self._position += 1
            return Fraction(text)
        if text != "^":
            return Fraction(1)
        self._position += 1
        braced = self._text() == "{"
        self._position += braced
        sign = -1 if self._text() == "-" else 1
        self._position += sign < 0
        if self._position >= len(self._tokens):
            return None
        node = self._tokens[self._position].node
        if not isinstance(node, Number) or abs(node.value) > 9:
            return None
        self._position += 1
        if braced and self._text() != "}":
            return None
        self._position += braced
        return sign * node.value
