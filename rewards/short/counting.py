"""Counts of things in a picture."""

from __future__ import annotations

import re

from rewards.charts.numbers import read_number
from rewards.errors import BadReferenceError
from rewards.math.reading.cleaning import strip_phrases
from rewards.settings import NoSettings
from rewards.text.references import reference_text
from rewards.verdict import Finding, Request, correct, unparseable, wrong

_THERE_ARE = re.compile(
    r"^(?:there (?:is|are)|there's|有)\s*(?:only\s+|a total of\s+|in total\s+)?", re.I
)


class CountingVerifier:
    """Judges whole numbers, exactly."""

    pass_mark = 1.0

    def __init__(self, settings: NoSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare counts; digits, words and a counted noun are fine."""
        expected = read_number(reference_text(request.reference))
        if expected is None or expected.value.denominator != 1:
            raise BadReferenceError(f"expected a whole number, found {request.reference!r}")
        text = _THERE_ARE.sub("", strip_phrases(answer[:2_000]))
        if not expected.value and text.lower() in ("none", "没有"):
            return correct("none is zero")
        found = read_number(text)
        if found is not None and found.hedged:
            return wrong("an approximate count")
        if found is None or found.percent or found.currency:
            return unparseable("not one number")
        if found.value == expected.value:
            return correct("the same count")
        return wrong(f"{found.value} is another count")
