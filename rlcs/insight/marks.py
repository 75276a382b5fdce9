"""Where a problem's target lies in its picture, and where a completion pointed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError, BadReferenceError, SettingsError
from rewards.geometry.boxes import Box, Space, read_space
from rewards.grounding.answers import read_objects
from rewards.grounding.dialects import DIALECTS
from rewards.gui.dialects.table import dialect_named, read_action

MOST_MARKS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A box, or a point where ``width`` and ``height`` are 0, in shares of the picture's size."""

    left: float
    top: float
    width: float = 0.0
    height: float = 0.0


def targets(reference: Any, *, dialect: str = "auto") -> list[Mark]:
    """The boxes that a reference of the domains ``gui`` and ``grounding`` names, none of others."""
    space = _space(reference, dialect)
    if space is None:
        return []
    values = [
        *_list(reference.get("boxes")),
        *_list(reference.get("bboxes")),
        *[reference[key] for key in ("bbox", "start_bbox", "end_bbox") if key in reference],
    ]
    return [mark for value in values[:MOST_MARKS] if (mark := _box(space, value)) is not None]


def predicted(answer: str, reference: Any, *, dialect: str = "auto") -> list[Mark]:
    """The boxes and points that an ``answer`` to such a problem names, as its verifier reads it."""
    space = _space(reference, dialect)
    if space is None:
        return []
    try:
        values = (
            _of_action(answer, dialect)
            if "action" in reference
            else _of_objects(answer, reference, dialect)
        )
    except (AnswerError, BadReferenceError, SettingsError, ValueError):
        return []
    marks = [_point(space, value) or _box(space, value) for value in values[:MOST_MARKS]]
    return [mark for mark in marks if mark is not None]


def _space(reference: Any, dialect: str) -> Space | None:
    if not isinstance(reference, Mapping) or not {"action", "mode"} & set(reference):
        return None
    known = DIALECTS.get(dialect)
    implied = known.space if "mode" in reference and known is not None else None
    try:
        if "action" in reference and (spoken := dialect_named(dialect)) is not None:
            implied = spoken.space
        return read_space(reference, implied)
    except (BadReferenceError, SettingsError, KeyError, ValueError):
        return None


def _of_action(answer: str, dialect: str) -> list[Any]:
    action = read_action(answer, dialect_named(dialect), click_alone=True)
    keys = ("point", "bbox", "start", "end")
    return [_unnested(action.arguments[key]) for key in keys if key in action.arguments]


def _of_objects(answer: str, reference: Mapping[str, Any], dialect: str) -> list[Any]:
    key = "point_2d" if reference.get("mode") == "point" else "bbox_2d"
    known = DIALECTS.get(dialect)
    found = read_objects(answer, key, known.notations) if known else read_objects(answer, key)
    return [each.value for each in found]


def _point(space: Space, value: Any) -> Mark | None:
    try:
        x, y = space.point(value)
    except AnswerError:
        return None
    return Mark(left=x / space.width, top=y / space.height)


def _box(space: Space, value: Any) -> Mark | None:
    try:
        box: Box = space.box(value)
    except AnswerError:
        return None
    return Mark(
        left=box.x1 / space.width,
        top=box.y1 / space.height,
        width=(box.x2 - box.x1) / space.width,
        height=(box.y2 - box.y1) / space.height,
    )


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _unnested(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
