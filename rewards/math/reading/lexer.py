"""From cleaned text to tokens, in one pass of one regular expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.reading.letter_runs import parts_of_product
from rewards.math.reading.limits import (
    MAX_CHARACTERS,
    MAX_DIGITS,
    MAX_EXPONENT,
    MAX_TOKENS,
    BeyondLimits,
)
from rewards.math.reading.ordinals import ordinal_end
from rewards.math.tree import Constant, Node, Number


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is read where it could be read in several ways.

    grouped, decimal_comma: commas between digits: ``1,234`` as 1234, or ``1,5`` as 1.5, or as a
    list. variables: single letters that are variables wherever they stand: never units, and
    factors where they stand side by side.
    """

    grouped: bool = True
    decimal_comma: bool = False
    variables: frozenset[str] = frozenset()


PLAIN_READING = Reading()


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer.

    kind: num, name, func, const, cmd, op, word, set or end. node: the value of a num or const.
    spaced: white space stands before it. upright: it is written in a text command.
    """

    kind: str
    text: str
    node: Node | None = None
    spaced: bool = False
    upright: bool = False


_FUNCTION_NAMES = """
sin cos tan cot sec csc sinh cosh tanh coth sech csch exp ln log lg sqrt cbrt abs floor ceil gcd
lcm max min det sgn arcsin arccos arctan arccot arcsec arccsc arcsinh arccosh arctanh binom
factorial
"""
FUNCTIONS: dict[str, str] = {name: name for name in _FUNCTION_NAMES.split()}
FUNCTIONS |= {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "acot": "arccot"}
FUNCTIONS |= {"arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "tg": "tan"}
FUNCTIONS |= {"arctg": "arctan", "ctg": "cot", "cosec": "csc", "ceiling": "ceil", "sign": "sgn"}
FUNCTIONS |= {
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "ch": "cosh",
    "sh": "sinh",
}
FUNCTIONS |= {
    "Re": "re",
    "Im": "im",
    "arg": "arg",
    "binomial": "binom",
    "dbinom": "binom",
    "tbinom": "binom",
    "hcf": "gcd",
    "log10": "lg",
}
_TEXT_ONLY = {"ch", "sh"}  # two letters: functions as commands, otherwise products
_GREEK = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho
varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma
Upsilon Phi Psi Omega ell hbar ohm nabla partial aleph
"""
GREEK = frozenset(_GREEK.split())
CONNECTIVES = frozenset(["and", "or", "mod", "union", "to", "in", "for", "where"])
_CONSTANTS = {"pi": "pi", "infty": "oo", "infinity": "oo", "inf": "oo", "oo": "oo", "tau": "tau"}
_SETS = {"R", "Z", "N", "Q", "C"}
_RELATIONS = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
    "=<": "<=", "=>": "implies", "ne": "!=", "neq": "!=", "le": "<=", "leq": "<=", "leqslant": "<=",
    "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "in": "in", "notin": "notin",
    "approx": "~", "simeq": "~", "sim": "~", "cong": "~", "doteq": "~", "equiv": "equiv",
    "to": "->", "rightarrow": "->", "mapsto": "->", "Rightarrow": "implies", "implies": "implies",
}  # fmt: skip
_TIMES = {"cdot": "*", "times": "*", "ast": "*", "bullet": "*", "div": "/", "colon": ":"}
_ELLIPSES = frozenset(["ldots", "dots", "cdots", "dotsc", "dotsb"])
_TEXT = """
text textbf textit textrm textsf texttt mathrm operatorname mbox hbox rm textnormal mathsf mathtt
mathnormal textup emph
"""
_TEXT_COMMANDS = frozenset(_TEXT.split())
_FONTS = """
mathbf mathit mathcal mathscr mathfrak boldsymbol bm vec overrightarrow hat widehat tilde
widetilde underline overset underset bf it displaystyle ensuremath phantom boxed fbox bold
overleftrightarrow color pmb
"""
TRANSPARENT = frozenset(_FONTS.split())
_GROUP = r"(?:,|\{,\}|\\,|\\ |\\;|'|[ \u00a0])"
_NUMBER = (
    rf"(?P<grouped>\d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)(?:\.\d+)?)"
    r"|(?P<european>\d{1,3}(?:\.\d{3})+,\d+(?!\d))"
    r"|(?P<based>0[xX][0-9a-fA-F]+|0b[01]+(?![0-9])|0o[0-7]+)"
    r"|(?P<plain>\d+\.\d*|\.\d+|\d+)"
)
_RECURRING = re.compile(
    r"\\(?:overline|bar|dot|widehat)\s*\{?(\d{1,50})\}?(?:(\d{0,50})\\dot\s*\{?(\d)\}?)?"
    r"|\((\d{1,50})\)(?![\d.])|(?:\s*\\(?:[lc]?dots|dotsc|dotsb))|\s*\.\.\.+"
)
_EXPONENT = re.compile(r"[eE]([+-]?\d{1,5})(?![\d.A-Za-z(^])")
_TOKEN = re.compile(
    rf"(?P<space>(?:\s|\\[ ,;:>]|~|\\(?:quad|qquad)\b)+)"
    rf"|{_NUMBER}"
    r"|(?P<command>\\(?:[A-Za-z]+\*?|[{}|%$#_&\\\\]))"
    r"|(?P<operator>\*\*|<=|>=|==|!=|<>|=<|=>|->|\.\.\.+|[-+*/^_=<>,;:|!%'\"()\[\]{}&])"
    r"|(?P<cjk>每|[\u3400-\u6bce\u6bd0-\u9fff\u3007]+)"
    r"|(?P<letters>[A-Za-z]+(?:-[A-Za-z]{2,}(?![a-z]*[\^_(]))*|[^\W\d_]+)"
    r"|(?P<currency>[$€£¥₹])"
    r"|(?P<stop>\.|\?)"
)
_RUN = "|".join(sorted([*FUNCTIONS, "pi"], key=len, reverse=True))
_GLUED = re.compile(rf"({_RUN})|([A-Za-z])")
_GLUED_WHOLE = re.compile(
    r"[a-zA-Z]{0,2}(?:(?:arc)?(?:sin|cos|tan|cot|sec|csc)|ln|log|sqrt|exp|pi)(?:[a-zA-Z]{0,2}"
    r"|[a-zA-Z]{0,1}(?:sin|cos|tan|cot|sec|csc|ln|log|sqrt|pi)[a-zA-Z]{0,2})"
)
_ENGLISH = frozenset(
    ["sine", "cosine", "tangent", "pie", "pin", "pint", "ping", "pick", "sing", "since"]
)


def tokenize(text: str, reading: Reading) -> list[Token]:
    """Split cleaned ``text`` into tokens; the last one is the end token.

    Raises AnswerError at an unknown character, BeyondLimits for a text that is too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise BeyondLimits(f"longer than {MAX_CHARACTERS} characters")
    tokens: list[Token] = []
    _scan(text, reading, tokens, upright=False, depth=0)
    tokens.append(Token("end", ""))
    return tokens


def _scan(text: str, reading: Reading, tokens: list[Token], *, upright: bool, depth: int) -> None:
    position, spaced, length = 0, False, len(text)
    brackets = 0
    while position < length:
        match = _TOKEN.match(text, position)
        if match is None:
            raise AnswerError(f"unknown character {text[position]!r}")
        if len(tokens) > MAX_TOKENS:
            raise BeyondLimits(f"more than {MAX_TOKENS} tokens")
        kind, raw = match.lastgroup or "", match.group()
        position = match.end()
        if kind == "space":
            spaced = True
            continue
        if kind in ("grouped", "european", "based", "plain"):
            raw = _allowed_number(raw, kind, brackets, reading, text, match.start())
            position = _number(text, match.start(), raw, kind, reading, tokens, spaced)
        elif kind == "command" and raw[1:] in _TEXT_COMMANDS and depth < 8:
            inner, position = _argument(text, position)
            _scan(inner, reading, tokens, upright=True, depth=depth + 1)
        elif kind == "command":
            position = _command(raw[1:], text, position, tokens, spaced)
        elif kind == "letters":
            _letters(raw, tokens, spaced, upright, reading.variables)
        elif kind == "cjk" or kind == "currency":
            tokens.append(Token("word", raw, None, spaced, True))
        elif kind == "stop":
            pass  # a full stop or question mark between words carries nothing
        else:
            brackets += (raw in "([{") - (raw in ")]}")
            tokens.append(_operator(raw, spaced))
        spaced = False


def _operator(raw: str, spaced: bool) -> Token:
    if raw == "**":
        raw = "^"
    if raw.startswith("..."):
        return Token("op", "...", None, spaced)
    return Token("op", _RELATIONS.get(raw, raw), None, spaced)


def _allowed_number(
    raw: str, kind: str, brackets: int, reading: Reading, text: str, start: int
) -> str:
    """Shorten a number with separators to its first part where separators do not count."""
    if kind == "european" and not reading.grouped:
        return raw.split(".")[0]
    if kind != "grouped":
        return raw
    comma = "," in raw and "{,}" not in raw
    preceding = text[max(0, start - 1) : start]
    if (comma and (brackets > 0 or not reading.grouped)) or preceding in ("^", "_"):
        return re.split(r"[,{\\' \u00a0]", raw, maxsplit=1)[0]
    return raw


def _number(
    text: str,
    start: int,
    raw: str,
    kind: str,
    reading: Reading,
    tokens: list[Token],
    spaced: bool,
) -> int:
    """Append the number at ``start``, with an exponent or a recurring part. Returns its end."""
    position = start + len(raw)
    if len(raw) > MAX_DIGITS:
        raise BeyondLimits(f"a number of more than {MAX_DIGITS} digits")
    if kind == "based":
        tokens.append(Token("num", raw, Number(Fraction(int(raw, 0))), spaced))
        return position
    plain = re.sub(_GROUP, "", raw) if kind == "grouped" else raw
    if kind == "european":
        plain = raw.replace(".", "").replace(",", ".")
    elif reading.decimal_comma and kind == "plain" and "." not in raw:
        match = re.compile(r"(?:,|\{,\})(\d+)").match(text, position)
        if match:
            plain, position = f"{raw}.{match[1]}", match.end()
    elif (
        "." not in plain
        and text.startswith("{,}", position)
        and (match := re.compile(r"\{,\}(\d+)").match(text, position))
    ):
        plain, position = f"{plain}.{match[1]}", match.end()
    number, end = _with_tail(text, position, plain)
    tokens.append(Token("num", plain, number, spaced))
    return ordinal_end(text, end, plain, reading.variables)


def _with_tail(text: str, position: int, plain: str) -> tuple[Number, int]:
    whole, point, places = plain.partition(".")
    if point and (match := _RECURRING.match(text, position)):
        recurring = _recurring(whole, places, match)
        if recurring is not None:
            return recurring, match.end()
    value = Fraction(plain if plain[-1:] != "." else plain + "0")
    digits = len((whole + places).lstrip("0")) if point and places else 0
    exponent = _EXPONENT.match(text, position)
    if exponent:
        power = int(exponent[1])
        if abs(power) > MAX_EXPONENT:
            raise AnswerError(f"an exponent beyond {MAX_EXPONENT}")
        return Number(value * Fraction(10) ** power, max(digits, 1), len(places)), exponent.end()
    return Number(value, max(digits, 1) if places else 0, len(places)), position


def _recurring(whole: str, places: str, match: re.Match[str]) -> Number | None:
    """The exact value of a recurring decimal, or a truncated decimal for "3.14159..."."""
    first, middle, last, bracketed = match.groups()
    if first is not None:
        block = first + ((middle or "") + last if last else "")
    elif bracketed is not None:
        block = bracketed
    else:
        found = re.search(r"(\d{1,12}?)\1+$", places)
        if not found or (len(found[1]) == 1 and len(found[0]) < 3):
            if not places:
                return None
            digits = len((whole + places).lstrip("0"))
            return Number(Fraction(f"{whole or 0}.{places}"), digits, len(places))
        block = found[1]
    size = 10 ** len(places)
    start = Fraction(int((whole or "0") + places), size)
    return Number(start + Fraction(int(block), (10 ** len(block) - 1) * size))


def _argument(text: str, position: int) -> tuple[str, int]:
    """The braced group (or the one character) at ``position`` and where it ends."""
    while position < len(text) and text[position] in " *":
        position += 1
    if position >= len(text) or text[position] != "{":
        return text[position : position + 1], position + 1
    depth, start = 0, position + 1
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return text[start:position], position + 1
        position += 1
    raise AnswerError("unbalanced braces")


def _command(name: str, text: str, position: int, tokens: list[Token], spaced: bool) -> int:
    name = name.rstrip("*")
    if name == "mathbb":
        inner, position = _argument(text, position)
        kind = "set" if inner.strip() in _SETS else "name"
        tokens.append(Token(kind, inner.strip(), None, spaced))
    elif name in FUNCTIONS:
        tokens.append(Token("func", FUNCTIONS[name], None, spaced))
    elif name in ("pi", "infty"):
        tokens.append(Token("const", name, Constant(_CONSTANTS[name]), spaced))
    elif name in _RELATIONS:
        tokens.append(Token("op", _RELATIONS[name], None, spaced))
    elif name in _TIMES:
        tokens.append(Token("op", _TIMES[name], None, spaced))
    elif name in _ELLIPSES:
        tokens.append(Token("op", "...", None, spaced))
    elif name in ("lbrack", "rbrack", "lparen", "rparen"):
        tokens.append(Token("op", {"lb": "[", "rb": "]", "lp": "(", "rp": ")"}[name[:2]]))
    elif name in GREEK:
        tokens.append(Token("name", name, None, spaced))
    elif name in ("%", "$"):
        kind = "op" if name == "%" else "word"
        tokens.append(Token(kind, name, None, spaced, True))
    elif name in ("mid", "vert", "lvert", "rvert", "Vert", "lVert", "rVert", "|"):
        tokens.append(Token("op", "|", None, spaced))
    elif name not in TRANSPARENT:
        tokens.append(Token("cmd", name, None, spaced))
    return position


def _letters(
    raw: str, tokens: list[Token], spaced: bool, upright: bool, variables: frozenset[str]
) -> None:
    lower = raw.lower()
    if raw in FUNCTIONS and (raw not in _TEXT_ONLY):
        tokens.append(Token("func", FUNCTIONS[raw], None, spaced))
    elif raw in _CONSTANTS and raw != "tau":
        tokens.append(Token("const", raw, Constant(_CONSTANTS[raw]), spaced))
    elif len(raw) == 1:
        constant = Constant(raw) if raw in "ei" else None
        kind = "const" if constant else "name"
        tokens.append(Token(kind, raw, constant, spaced, upright))
    elif lower in CONNECTIVES:
        tokens.append(Token("word", lower, None, spaced, upright))
    elif raw in GREEK and raw != "ohm":
        tokens.append(Token("name", raw, None, spaced))
    elif not upright and _GLUED_WHOLE.fullmatch(raw) and lower not in _ENGLISH:
        for match in _GLUED.finditer(raw):
            _letters(match.group(), tokens, spaced and match.start() == 0, upright, variables)
    elif not upright and (parts := parts_of_product(raw, variables)):
        for index, part in enumerate(parts):
            if part == "-":
                tokens.append(Token("op", "-"))
            else:
                _letters(part, tokens, spaced and index == 0, upright, variables)
    else:
        tokens.append(Token("word", raw, None, spaced, upright))
