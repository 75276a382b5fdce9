"""Answers that only copy an expression of the question instead of working it out."""

from __future__ import annotations

import math
import re

from rewards.math.reading.cleaning import canonical
from rewards.math.reading.limits import MAX_CHARACTERS
from rewards.text import choice

_OPERATOR = re.compile(r"[-+*/^!=√]|mod")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_VALUES = frozenset(["frac", "sqrt", "pi", "text", "infty", "circ", "degree", "left", "right"])
_FRACTION = re.compile(
    r"\\frac\{?(\d{1,15})\}?\{?(\d{1,15})\}?|(?<![\d.])(\d{1,15})/(\d{1,15})(?![\d.])"
)
_ROOT = re.compile(r"\\sqrt\{?(\d{1,15})\}?")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*%?")
_MAX_QUESTION = 20_000
_MAX_PLACES = 50


def restates(answer: str, reference: str, question: str | None) -> bool:
    """Whether an answer that is still to be worked out stands in the question, word for word."""
    if not question or len(answer) > MAX_CHARACTERS or choice.options(question):
        return False
    copied = canonical(answer)
    if copied == canonical(reference) or not _is_unfinished(copied):
        return False
    source = canonical(question[:_MAX_QUESTION])
    position = -1
    for _ in range(_MAX_PLACES):
        position = source.find(copied, position + 1)
        if position < 0:
            return False
        before = source[position - 1 : position]
        if not (copied[0].isdigit() and (before.isdigit() or before == ".")):
            return True
    return False


def _is_unfinished(copied: str) -> bool:
    """Whether something is left to compute: not so for -3, 3/4, \\sqrt{2}, (1, 2), \\$5."""
    if len(copied) < 2 or _NUMBER.fullmatch(copied):
        return False
    if any(_reducible(*match.groups()) for match in _FRACTION.finditer(copied)):
        return True
    if any(math.isqrt(int(m[1])) ** 2 == int(m[1]) for m in _ROOT.finditer(copied)):
        return True
    rest = _FRACTION.sub("", copied)
    if any(name not in _VALUES for name in _COMMAND.findall(rest)):
        return True
    return bool(_OPERATOR.search(rest[1:]))


def _reducible(*parts: str | None) -> bool:
    upper, lower = (int(part) for part in parts if part is not None)
    return lower < 2 or math.gcd(upper, lower) > 1
