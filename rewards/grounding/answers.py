"""Boxes, points and segments as models write them: exactly one such value in an answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError
from rewards.text.literals import MAX_CHARACTERS, check_size, read_literal

MAX_OBJECTS = 500
_NUMBER = r"-?\d{1,9}(?:\.\d{1,12})?"
_QWEN_BOX = re.compile(
    rf"<\|box_start\|>\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*,\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)"
    r"\s*<\|box_end\|>"
)
_QWEN_LABEL = re.compile(
    r"<\|object_ref_start\|>([^<]{0,200})<\|object_ref_end\|>\s*(?=<\|box_start\|>)"
)
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


def read_objects(text: str, key: str) -> list[Found]:
    """Read the boxes (key "bbox_2d") or points (key "point_2d") of an answer.

    Raises AnswerError for an answer that is not exactly one such value.
    """
    text = text.strip()
    if _NOTHING.fullmatch(text):
        return []
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"longer than {MAX_CHARACTERS} characters")
    if "<|box_start|>" in text:
        return _qwen_boxes(text)
    value = _one_value(text)
    found = _objects(value, key)
    if len(found) > MAX_OBJECTS:
        raise AnswerError(f"more than {MAX_OBJECTS} objects")
    return found


def _qwen_boxes(text: str) -> list[Found]:
    labels = {match.end(): match[1].strip() for match in _QWEN_LABEL.finditer(text)}
    found = [
        Found([float(number) for number in match.groups()], labels.get(match.start()))
        for match in _QWEN_BOX.finditer(text)
    ]
    if not found or len(found) != text.count("<|box_start|>") or len(found) > MAX_OBJECTS:
        raise AnswerError("boxes that do not parse")
    return found


def _one_value(text: str) -> Any:
    """The whole text as a value, or the only bracketed value in prose."""
    try:
        return read_literal(text)
    except AnswerError:
        pass
    fences = re.findall(r"```[a-z]{0,10}\s*\n?(.*?)```", text, re.DOTALL)
    if len(fences) == 1:
        return read_literal(fences[0])
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
    size = 4 if key == "bbox_2d" else 2
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
