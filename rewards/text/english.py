"""English number words: "twenty-one", "three hundred and five", "two million"."""

from __future__ import annotations

import re
from fractions import Fraction

_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_ONES = {word: value for value, word in enumerate(_UNITS.split())}
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_TENS_WORDS.split(), 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {"first": "one", "second": "two", "third": "three", "fifth": "five"}
_ORDINALS |= {"eighth": "eight", "ninth": "nine", "twelfth": "twelve"}
_WORD = re.compile(r"[a-z]+")


def number(text: str) -> Fraction | None:
    """Return the value of a number in words (at most 100 characters), or None."""
    text = text.strip().lower()
    if not text or len(text) > 100:
        return None
    sign = 1
    for minus in ("minus ", "negative "):
        if text.startswith(minus):
            sign, text = -1, text.removeprefix(minus)
    text, half = _without_half(text)
    whole, point, places = text.partition(" point ")
    if point:
        return _with_places(sign, whole, places.split()) if not half else None
    words = [word for word in re.split(r"[\s-]+", text) if word]
    if words and words[0] in ("a", "an") and len(words) > 1:
        words[0] = "one"
    if words == ["half"] or words == ["one", "half"]:
        return Fraction(sign, 2)
    if not words or words[-1] == "and" or words[0] == "and":
        return None
    kept = [word for word in words if word != "and"]
    scale = _SCALES.get(kept[-1], 1) if half else 1
    value = _integer(kept)
    return None if value is None else sign * (Fraction(value) + Fraction(half * scale, 2))


def ordinal(text: str) -> Fraction | None:
    """Return the value of an ordinal number in words ("twenty-first"), or None."""
    start, last = re.fullmatch(r"(.*?)([a-z]*)", text.strip().lower()[:101]).groups()  # type: ignore[union-attr]
    cardinal = _ORDINALS.get(last)
    if cardinal is None and last.endswith("ieth"):
        cardinal = last.removesuffix("ieth") + "y"
    elif cardinal is None and last.endswith("th"):
        cardinal = last.removesuffix("th")
    return None if cardinal is None else number(start + cardinal)


def _without_half(text: str) -> tuple[str, int]:
    """ "two and a half million" as "two million" and 1."""
    for phrase in (" and a half", " and one half"):
        if text.count(phrase) == 1 and not text.startswith(phrase):
            return " ".join(text.replace(phrase, " ").split()), 1
    return text, 0


def _with_places(sign: int, whole: str, places: list[str]) -> Fraction | None:
    """ "three point one four"."""
    value = _integer(whole.replace("-", " ").split())
    if value is None or not places or any(_ONES.get(word, 10) > 9 for word in places):
        return None
    return sign * Fraction(f"{value}.{''.join(str(_ONES[word]) for word in places)}")


def _integer(words: list[str]) -> int | None:
    total, section, previous = 0, 0, 0
    seen = False
    for word in words:
        if word in _ONES or word in _TENS:
            value = _ONES.get(word, _TENS.get(word, 0))
            small_after_tens = previous >= 20 and previous < 100 and 0 < value < 10
            if seen and previous and not small_after_tens and previous < 100:
                return None  # "five six" is no number
            section, previous = section + value, value
        elif word == "hundred" and seen:
            section, previous = section * 100, 100
        elif word == "dozen" and (seen or not section):
            section, previous = (section or 1) * 12, 100
        elif word in _SCALES and seen:
            total, section, previous = total + section * _SCALES[word], 0, 1000
        else:
            return None
        seen = True
    return total + section
