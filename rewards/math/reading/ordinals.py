r"""Ordinal numbers, read as the number alone: ``12th``, ``12^{\text{th}}`` and the like."""

from __future__ import annotations

import re

from rewards.math.reading.letter_runs import is_made_of

_ENDING = r"(st|nd|rd|th)"
_TEXT = r"\\(?:text|mathrm|textrm|textsuperscript|rm|mbox|textit|mathit)"
_BARE = re.compile(_ENDING + r"(?![A-Za-z])")
_DRESSED = re.compile(
    rf"(?:\s*\^\s*)?(?:\{{\s*)?{_TEXT}\s*\{{\s*{_ENDING}\s*\}}(\s*\}})?|\s*\^\s*\{{\s*{_ENDING}\s*\}}"
)
_STARTS = frozenset("strn^\\ {")
_BY_LAST_DIGIT = {"1": "st", "2": "nd", "3": "rd"}


def ordinal_end(text: str, position: int, digits: str, variables: frozenset[str]) -> int:
    """Return where the ordinal ending at ``position`` ends; ``position`` itself without one.

    digits: the whole number before it, which the ending must fit (``2nd``, not ``2th``).
    variables: letters that are factors, so that a bare ending made of them is none.
    """
    if position >= len(text) or text[position] not in _STARTS or not digits.isdigit():
        return position
    match = _BARE.match(text, position)
    if match and is_made_of(match[1], variables):
        return position
    match = match or _DRESSED.match(text, position)
    if match is None or not _fits(next(group for group in match.groups() if group), digits):
        return position
    if match.group().count("{") != match.group().count("}"):
        return position
    return match.end()


def _fits(ending: str, digits: str) -> bool:
    if digits[-2:-1] == "1":
        return ending == "th"
    return ending == _BY_LAST_DIGIT.get(digits[-1], "th")
