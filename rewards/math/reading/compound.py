"""Quantities in two or three units: 2 hours 30 minutes, 5 ft 6 in, 30°15', 5米20厘米."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from rewards.math.reading.unit_names import UNITS
from rewards.math.tree import Node, Number, Quantity

_UNIT = r"[A-Za-z]+|'|\"|''|\^?\{?\\(?:circ|degree)\}?|[一-鿿]+"
_PART = rf"(\d{{1,15}}(?:\.\d{{1,15}})?)\s*(?:\\text\{{)?\s*({_UNIT})\}}?"
_COMPOUND = re.compile(rf"{_PART}[\s,]*(?:and\s+)?{_PART}(?:[\s,]*(?:and\s+)?{_PART})?")
_WORTH_TRYING = re.compile(r"\d\D+\d+\D")
# How many of the next smaller unit make one.
_SMALLER = {
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "minute"): 60,
    ("minute", "second"): 60,
    ("year", "month"): 12,
    ("yard", "foot"): 3,
    ("mile", "foot"): 5280,
    ("foot", "inch"): 12,
    ("pound", "ounce"): 16,
    ("kilometer", "meter"): 1000,
    ("meter", "centimeter"): 100,
    ("meter", "decimeter"): 10,
    ("centimeter", "millimeter"): 10,
    ("kilogram", "gram"): 1000,
    ("metric_ton", "kilogram"): 1000,
    ("dollar", "cent"): 100,
    ("yuan", "jiao"): 10,
    ("degree", "arcminute"): 60,
    ("arcminute", "arcsecond"): 60,
}
_MAX_CHARACTERS = 120


def compound_quantity(text: str) -> Node | None:
    """Return the quantity in its first unit, or None when ``text`` is no such quantity."""
    if len(text) > _MAX_CHARACTERS or not _WORTH_TRYING.search(text):
        return None
    match = _COMPOUND.fullmatch(text.strip())
    if match is None:
        return None
    groups = [group for group in match.groups() if group is not None]
    values = [Fraction(value) for value in groups[::2]]
    names = _names(groups[1::2])
    if any(name is None for name in names):
        return None
    total, factor = values[0], Fraction(1)
    for (larger, smaller), value in zip(pairwise(names), values[1:], strict=True):
        if (larger, smaller) not in _SMALLER:
            return None
        factor /= _SMALLER[(str(larger), str(smaller))]
        total += value * factor
    return Quantity(Number(total), ((str(names[0]), Fraction(1)),))


def _names(texts: list[str]) -> list[str | None]:
    names: list[str | None] = []
    for index, text in enumerate(texts):
        if "circ" in text or "degree" in text:
            names.append("degree")
        elif text == "'":
            names.append("arcminute" if names and names[0] == "degree" else "foot")
        elif text in ('"', "''"):
            names.append("arcsecond" if names and names[0] == "degree" else "inch")
        elif text == "分" and index:
            names.append("minute")
        else:
            names.append(UNITS.get(text) or UNITS.get(text.lower()))
    return names
