"""Calls such as ``click(x=1, y='a')``: a small grammar of names and literals, nothing evaluated.

Left out: ``ast.parse``, which warns about text that it does not like on the terminal, and whose
limits differ between versions of Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError
from rewards.text.literals import MAX_DEPTH

MAX_CALL_CHARACTERS = 20_000
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?)(?![\w.])
    |(?P<name>[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){0,3})
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<mark>[()\[\],=])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "\n": ""}
_WRITTEN = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONSTANTS = {"True": True, "False": False, "None": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its name, perhaps dotted, and its literal arguments."""

    name: str
    positional: Sequence[Any]
    keywords: Mapping[str, Any]


def read_call(text: str) -> Call:
    """Read exactly one call. Raises AnswerError for anything else and after anything else."""
    if len(text) > MAX_CALL_CHARACTERS:
        raise AnswerError(f"a call of more than {MAX_CALL_CHARACTERS} characters")
    if not text.endswith(")") or not (text[0].isalpha() or text[0] == "_"):
        raise AnswerError("not a plain call")
    return _Reader(text).call()


def write_call(name: str, keywords: Mapping[str, Any]) -> str:
    """Write a call that ``read_call`` reads back."""
    return f"{name}({', '.join(f'{key}={written(value)}' for key, value in keywords.items())})"


def written(value: Any) -> str:
    """Write a literal: text, a number, or a list of them."""
    if isinstance(value, str):
        return "'" + "".join(_WRITTEN.get(character, character) for character in value) + "'"
    if isinstance(value, list | tuple):
        marks = "[]" if isinstance(value, list) else "()"
        return marks[0] + ", ".join(map(written, value)) + marks[1]
    return repr(value)


def unescaped(text: str) -> str:
    """Return the text that a literal's inside stands for; unknown escapes stay as they are."""
    return _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    if digits is None:
        return _ESCAPED.get(match[3], match[0])
    code = int(digits, 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)  # half a character is no text


class _Reader:
    """A cursor over the tokens of a text, each of which is looked at once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._kind, self._token = "", ""
        self._next()

    def call(self) -> Call:
        name = self._token
        if self._kind != "name":
            raise AnswerError("not a plain call")
        self._next()
        self._expect("(")
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        while self._token != ")" or self._kind != "mark":
            self._argument(positional, keywords)
            if not self._is_mark(","):
                break
            self._next()
        if not self._is_mark(")"):
            raise AnswerError("not a plain call")
        if self._text[self._position :].strip():
            raise AnswerError("something after the call: expected one action")
        return Call(name, positional, keywords)

    def _argument(self, positional: list[Any], keywords: dict[str, Any]) -> None:
        if self._kind == "name" and self._token not in _CONSTANTS:
            key = self._token
            self._next()
            self._expect("=")
            if key in keywords:
                raise AnswerError(f"{key[:40]} is given twice")
            keywords[key] = self._value(0)
        elif keywords:
            raise AnswerError("an argument without a name after one with a name")
        else:
            positional.append(self._value(0))

    def _value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise AnswerError(f"nested deeper than {MAX_DEPTH}")
        kind, token = self._kind, self._token
        if kind == "mark" and token in "[(":
            return self._sequence(depth, "]" if token == "[" else ")")
        if kind == "mark" or (kind == "name" and token not in _CONSTANTS):
            raise AnswerError("an argument that is no literal")
        self._next()
        if kind == "name":
            return _CONSTANTS[token]
        return unescaped(token[1:-1]) if kind == "text" else _number(token)

    def _sequence(self, depth: int, closing: str) -> Any:
        self._next()
        items: list[Any] = []
        while not self._is_mark(closing):
            items.append(self._value(depth + 1))
            if self._is_mark(","):
                self._next()
            elif not self._is_mark(closing):
                raise AnswerError("an argument that is no literal")
        self._next()
        return items if closing == "]" else tuple(items)

    def _is_mark(self, mark: str) -> bool:
        return self._kind == "mark" and self._token == mark

    def _expect(self, mark: str) -> None:
        if not self._is_mark(mark):
            raise AnswerError("an argument that is no literal")
        self._next()

    def _next(self) -> None:
        if self._position == len(self._text):
            self._kind, self._token = "end", ""
            return
        match = _TOKEN.match(self._text, self._position)
        if match is None:
            raise AnswerError("not a plain call")
        self._position = match.end()
        self._kind = match.lastgroup or ""
        self._token = match[self._kind]


def _number(token: str) -> int | float:
    if token.lstrip("+-").isdigit():
        return int(token)
    value = float(token)
    if value - value != 0:
        raise AnswerError("a number that is not finite")
    return value
