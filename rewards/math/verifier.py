"""Math: the reference decides the type, exact values want exact answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.errors import BadReferenceError
from rewards.verdict import Finding, Request, correct, unparseable, wrong

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:/\d+)?")
_MAX_DIGITS = 1000


@dataclass(frozen=True, kw_only=True)
class MathSettings:
    """No settings yet."""


class MathVerifier:
    """Judges mathematical answers."""

    pass_mark = 1.0

    def __init__(self, settings: MathSettings) -> None:
        self._settings = settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare ``answer`` with the reference."""
        reference = str(request.reference).strip()
        if not reference:
            raise BadReferenceError("the reference is empty")
        if answer == reference:
            return correct("the same text")
        expected, found = _number(reference), _number(answer)
        if expected is None:
            return wrong("a different text")
        if found is None:
            return unparseable("not a number")
        return correct("equal") if expected == found else wrong(f"{found} is not {expected}")


def _number(text: str) -> Fraction | None:
    text = text.strip().strip("$").strip()
    text = re.sub(r"^(-?)\\d?frac\{(\d{1,99})\}\{(\d{1,99})\}$", r"\1\2/\3", text)
    if not text or len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    try:
        return Fraction(text.replace(",", ""))
    except (ValueError, ZeroDivisionError):
        return None
