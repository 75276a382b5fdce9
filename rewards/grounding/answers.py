"""Boxes, points and segments as models write them: exactly one such value in an answer.

Boxes and points come in four notations: JSON or a Python literal (perhaps in prose), boxes in
tags (``<box>``), boxes in tokens (``<|box_start|>``) and points in tags (``<point>``). One answer
is in one of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from rewards.errors import AnswerError
from rewards.text.literals import MAX_CHARACTERS, check_size, read_literal

MAX_OBJECTS = 500
_SIZES = {"bbox_2d": 4, "point_2d": 2}
Notation = Literal["json", "box_tags", "box_tokens", "point_tags"]
NOTATIONS: frozenset[Notation] = frozenset({"json", "box_tags", "box_tokens", "point_tags"})
_TAGGED: dict[Notation, tuple[str, re.Pattern[str]]] = {
    "box_tokens": (
        "<|box_start|>",
        re.compile(
            r"(?:<\|object_ref_start\|>([^<]{0,200})<\|object_ref_end\|>\s*)?"
            r"<\|box_start\|>([^<]{1,2000})<\|box_end\|>"
        ),
    ),
    "box_tags": (
        "<box>",
        re.compile(r"(?:<ref>([^<]{0,200})</ref>\s*)?<box>([^<]{1,20000})</box>"),
    ),
    "point_tags": ("<point>", re.compile(r"()<point>([^<]{1,2000})</point>")),
}
"""By notation, the mark that shows it, and the pattern of a label (perhaps) and numbers."""
_NUMBER = r"(-?\d{1,9}(?:\.\d{1,12})?)"
_PAIR = rf"{_NUMBER}\s{{0,9}},\s{{0,9}}{_NUMBER}"
_SPACED = rf"{_NUMBER}\s{{1,9}}{_NUMBER}"
_CORNER = rf"\(\s{{0,9}}{_PAIR}\s{{0,9}}\)"
_BETWEEN = r"\s{0,9},\s{0,9}"
_SPELLED = {
    2: re.compile(rf"{_PAIR}|{_SPACED}|{_CORNER}"),
    4: re.compile(
        rf"{_CORNER}{_BETWEEN}{_CORNER}|{_PAIR}{_BETWEEN}{_PAIR}|{_SPACED}\s{{1,9}}{_SPACED}"
        rf"|\({_PAIR}{_BETWEEN}{_PAIR}\)"
    ),
}
_LANGUAGE = re.compile(r"\A[a-z]{0,10}")
_NOTHING = re.compile(
    r"(?:\[\s*\]|\[\s*\[\s*\]\s*\]|\{\s*\}|none|null|no (?:such )?(?:objects?|box(?:es)?|target)s?"
    r"(?: (?:found|detected|present))?|not (?:found|present|there)|无|没有)\.?",
    re.IGNORECASE,
)
_CLOCK = r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)"
_TIME = re.compile(rf"{_CLOCK}|(\d{{1,7}}(?:\.\d{{1,6}})?)\s*(?:s|sec|secs|seconds?|秒)?(?![\d:])")
_NEGATIVE = re.compile(r"(?:^|[\[(,:])\s*[-−]\s*\d|(?:-|–|—|~|to|and|至|到)\s+[-−]\d")


@dataclass(frozen=True, slots=True)
class Found:
    """One object that an answer names: a box or a point not yet checked, and perhaps a label."""

    value: Any
    label: str | None = None


def read_objects(text: str, key: str, notations: frozenset[Notation] = NOTATIONS) -> list[Found]:
    """Read the boxes (key "bbox_2d") or points (key "point_2d") of an answer.

    Raises AnswerError for an answer that is not exactly one such value in one of the notations.
    """
    text = text.strip()
    if _NOTHING.fullmatch(text):
        return []
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"longer than {MAX_CHARACTERS} characters")
    shown: list[Notation] = [name for name, (mark, _) in _TAGGED.items() if mark in text]
    if len(shown) > 1:
        raise AnswerError("boxes in more than one notation")
    notation = shown[0] if shown else "json"
    if notation not in notations:
        raise AnswerError("boxes in a notation of another dialect")
    found = _tagged(text, notation, key) if shown else _objects(_one_value(text), key)
    if len(found) > MAX_OBJECTS:
        raise AnswerError(f"more than {MAX_OBJECTS} objects")
    return found


def _tagged(text: str, notation: Notation, key: str) -> list[Found]:
    """The objects in tags or tokens; what is around them is prose, without boxes of its own."""
    mark, pattern = _TAGGED[notation]
    matches = list(pattern.finditer(text))
    if len(matches) != text.count(mark) or len(matches) > MAX_OBJECTS:
        raise AnswerError("boxes that do not parse")
    found = []
    for match in matches:
        label = match[1].strip() if match[1] else None
        found += [Found(value, label) for value in _between_tags(match[2].strip(), key)]
    if any(_holds_numbers(span) for span in _bracketed(pattern.sub(" ", text))):
        raise AnswerError("boxes in more than one notation")
    return found


def _between_tags(text: str, key: str) -> list[Any]:
    """The values between two tags: numbers as they are spelled, or a list of lists."""
    if text.startswith("["):
        return [item.value for item in _objects(read_literal(text), key)]
    match = _SPELLED[_SIZES[key]].fullmatch(text)
    if match is None:
        raise AnswerError("boxes that do not parse")
    return [[float(number) for number in match.groups() if number is not None]]


def _holds_numbers(span: str) -> bool:
    """Whether a bracketed span of prose is a box or a point, too."""
    try:
        value = read_literal(span)
    except AnswerError:
        return False
    return isinstance(value, list | dict | tuple) and bool(value)


def _one_value(text: str) -> Any:
    """The whole text as a value, or the only bracketed value in prose."""
    try:
        return read_literal(text)
    except AnswerError:
        pass
    parts = text.split("```")
    if len(parts) in (3, 4):  # one block in prose
        return read_literal(_LANGUAGE.sub("", parts[1], count=1))
    spans = _bracketed(text)
    if not spans:
        raise AnswerError("no box")
    values = []
    for span in spans:
        try:
            values.append(read_literal(span))
        except AnswerError:
            continue
    structured = [v for v in values if isinstance(v, list | dict | tuple) and v]
    if len(structured) != 1:
        raise AnswerError(f"expected one bracketed value, found {len(structured)}")
    return structured[0]


def _bracketed(text: str) -> list[str]:
    """Outermost bracketed spans, in one pass."""
    check_size(text)
    spans: list[str] = []
    stack: list[str] = []
    start = 0
    closing = {"[": "]", "{": "}", "(": ")"}
    for match in re.finditer(r"[\[\]{}()]", text):
        bracket = match.group()
        if bracket in closing:
            if not stack:
                start = match.start()
            stack.append(closing[bracket])
        elif stack and stack[-1] == bracket:
            stack.pop()
            if not stack:
                spans.append(text[start : match.end()])
    return spans


def _is_numbers(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    )


def _objects(value: Any, key: str) -> list[Found]:
    size = _SIZES[key]
    if isinstance(value, dict):
        return [_from_object(value, key)]
    if not isinstance(value, list | tuple):
        raise AnswerError("no list of boxes")
    if _is_numbers(value):
        if len(value) % size or len(value) != size:
            raise AnswerError(f"expected {size} numbers, found {len(value)}")
        return [Found(list(value))]
    if size == 4 and len(value) == 2 and all(_is_numbers(v) and len(v) == 2 for v in value):
        return [Found([*value[0], *value[1]])]  # two corners
    found = []
    for item in value:
        if isinstance(item, dict):
            found.append(_from_object(item, key))
        elif _is_numbers(item):
            found.append(Found(list(item)))
        elif (
            isinstance(item, list | tuple)
            and len(item) == 2
            and all(_is_numbers(corner) and len(corner) == 2 for corner in item)
            and size == 4
        ):
            found.append(Found([*item[0], *item[1]]))
        else:
            raise AnswerError("an item that is no box")
    return found


_KEYS = {
    "bbox_2d": ("bbox_2d", "bbox", "box", "box_2d"),
    "point_2d": ("point_2d", "point", "coordinate"),
}


def _from_object(value: dict[str, Any], key: str) -> Found:
    keys = [name for name in _KEYS[key] if name in value]
    if len(keys) != 1:
        raise AnswerError(f"an object without {key}")
    inner = value[keys[0]]
    if isinstance(inner, list) and len(inner) == 1 and _is_numbers(inner[0]):
        inner = inner[0]
    label = value.get("label")
    if label is not None and not isinstance(label, str):
        raise AnswerError("a label that is no text")
    return Found(inner, label)


def read_segment(text: str) -> tuple[float, float]:
    """Read start and end in seconds from JSON, "0:12 - 0:20" or "from 12s to 20s".

    Raises AnswerError for anything but two times that are not negative.
    """
    text = text.strip()
    if len(text) > 2_000:
        raise AnswerError("longer than 2000 characters")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = value.get("segment", [value.get("start"), value.get("end")])
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        if len(value) != 2:
            raise AnswerError("expected a start and an end")
        if _is_numbers(value):  # as they are: written out they may have more digits than a clock
            return _in_seconds(value[0]), _in_seconds(value[1])
        text = " , ".join(str(item) for item in value)
    if _NEGATIVE.search(text):
        raise AnswerError("a negative time")
    times = [_seconds(match) for match in _TIME.finditer(text)]
    if len(times) != 2:
        raise AnswerError(f"expected a start and an end, found {len(times)} times")
    return times[0], times[1]


def _in_seconds(number: float) -> float:
    if not 0 <= number < 1e9:  # nor is NaN
        raise AnswerError("a time out of range" if number >= 0 else "a negative time")
    return float(number)


def _seconds(match: re.Match[str]) -> float:
    hours, minutes, seconds, plain = match.groups()
    if plain is not None:
        return float(plain)
    if float(seconds) >= 60:
        raise AnswerError("seconds beyond 59")
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
