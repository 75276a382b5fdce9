"""Points and boxes as dialects spell them: two or four finite numbers, as they are."""

from __future__ import annotations

import re
from typing import Any

from rewards.errors import AnswerError
from rewards.geometry.boxes import numbers

_NUMBER = r"(-?\d{1,9}(?:\.\d{1,20})?)"
_MAX_CHARACTERS = 200  # of a point or a box; spellings look again and again at long spaces
_COMMA, _SPACE = r"\s*,\s*", r"\s+"


def _spelling(opening: str, separator: str, closing: str) -> re.Pattern[str]:
    """Two or four numbers between marks."""
    more = separator + _NUMBER
    return re.compile(rf"{opening}\s*{_NUMBER}{more}(?:{more}{more})?\s*{closing}")


ROUND = _spelling(r"\(", _COMMA, r"\)")
SQUARE = _spelling(r"\[", _COMMA, r"\]")
DOUBLE_SQUARE = _spelling(r"\[\s*\[", _COMMA, r"\]\s*\]")
BARE = _spelling("", _COMMA, "")
POINT_TAG = _spelling("<point>", _SPACE, "</point>")
POINT_TAG_COMMA = _spelling(r"<point>\s*\(?", _COMMA, r"\)?\s*</point>")
POINT_TAG_SQUARE = _spelling(r"<point>\s*\[\s*\[", _COMMA, r"\]\s*\]\s*</point>")
BOX_TAG = _spelling("<bbox>", _SPACE, "</bbox>")
BOX_TOKENS = _spelling(r"<\|box_start\|>\s*\(", _COMMA, r"\)\s*<\|box_end\|>")
BOX_TOKENS_CORNERS = re.compile(
    rf"<\|box_start\|>\s*\(\s*{_NUMBER}{_COMMA}{_NUMBER}\s*\)\s*,"
    rf"\s*\(\s*{_NUMBER}{_COMMA}{_NUMBER}\s*\)\s*<\|box_end\|>"
)


def spelled(text: str, *spellings: re.Pattern[str]) -> list[float]:
    """Read two or four numbers in one of the spellings. Raises AnswerError for other text."""
    if len(text) > _MAX_CHARACTERS:
        raise AnswerError(f"a point of more than {_MAX_CHARACTERS} characters")
    text = text.strip()
    for spelling in spellings:
        match = spelling.fullmatch(text)
        if match:
            return [float(number) for number in match.groups() if number is not None]
    raise AnswerError("a point that does not parse")


def listed(value: Any) -> list[float]:
    """Read a list of two or four numbers, or one such list in a list. Raises AnswerError."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list | tuple) or len(value) not in (2, 4):
        raise AnswerError("expected a point or a box of numbers")
    return numbers(value, len(value))
