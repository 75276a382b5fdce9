"""GUI actions: the type first, then its arguments, in the declared coordinate space.

Sources: the action sets of GUI-R1, UI-R1, AITW and GLM-4.1V; their known faults (evaluated
output, one-letter substrings, ignored directions) are what the strict rules answer. Left out:
sequences of actions; one answer is one action.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import Box, Space, read_space, reference_box
from rewards.gui.actions import (
    ALIASES,
    ARGUMENT_OF,
    POINTING,
    Action,
    canonical_name,
    read_action,
)
from rewards.settings import Setting, Settings
from rewards.text.words import token_f1
from rewards.verdict import Finding, Request, correct, graded, wrong

_DIRECTIONS = {"up": "up", "down": "down", "left": "left", "right": "right"}
_DIRECTIONS |= {"top": "up", "bottom": "down", "upward": "up", "downward": "down"}
_DIRECTIONS |= {"upwards": "up", "downwards": "down", "leftward": "left", "rightward": "right"}
_KEYS = {"return": "enter", "ctrl": "control", "esc": "escape", "del": "delete", "win": "meta"}
_KEYS |= {"cmd": "meta", "command": "meta", "super": "meta", "windows": "meta", "option": "alt"}
_KEYS |= {"spacebar": "space", "pgup": "pageup", "pgdn": "pagedown", "page_up": "pageup"}
_KEYS |= {"page_down": "pagedown", "arrowup": "up", "arrowdown": "down", "arrowleft": "left"}
_KEYS |= {"arrowright": "right", "ins": "insert", "bksp": "backspace"}
_STATUSES = {"complete": "success", "completed": "success", "successful": "success"}
_STATUSES |= {"done": "success", "finished": "success", "infeasible": "failure"}
_STATUSES |= {"fail": "failure", "failed": "failure", "impossible": "failure"}
MAX_AREA_RATIO = 4.0


@dataclass(frozen=True, kw_only=True)
class GuiSettings(Settings):
    """How predicted actions are judged."""

    shaped: Annotated[
        Literal["none", "distance"],
        Setting(
            description="What a near miss or a similar text earns: nothing, or with 'distance' "
            "a score below 1. What counts as passed is always the strict rule."
        ),
    ] = "none"


class GuiVerifier:
    """Judges one predicted action."""

    pass_mark = 1.0

    def __init__(self, settings: GuiSettings) -> None:
        self._settings = settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare the action in ``answer`` with the reference object."""
        expected = _read_reference(request.reference)
        action = read_action(answer)
        if action.name != expected.name:
            return wrong(f"{action.name} where {expected.name} is right")
        finding = expected.compare(expected, action)
        if finding.score >= 1.0 or self._settings.shaped == "none":
            return finding if finding.score >= 1.0 else wrong(finding.detail)
        return finding


@dataclass(frozen=True)
class _Expected:
    """A checked reference."""

    name: str
    space: Space | None
    reference: Mapping[str, Any]
    compare: Callable[[_Expected, Action], Finding]
    boxes: tuple[Box, ...] = ()


def _read_reference(reference: Any) -> _Expected:
    if not isinstance(reference, Mapping):
        raise BadReferenceError(f"expected an object, found {type(reference).__name__}")
    try:
        name = canonical_name(reference.get("action"))
    except AnswerError as error:
        raise BadReferenceError(
            f"{error}; known: {', '.join(sorted(set(ALIASES.values())))}"
        ) from None
    if name in POINTING:
        space = read_space(reference)
        return _Expected(name, space, reference, _compare_point, _target_boxes(space, reference))
    if name == "drag":
        space = read_space(reference)
        boxes = tuple(
            reference_box(space, _required(reference, key)) for key in ("start_bbox", "end_bbox")
        )
        return _Expected(name, space, reference, _compare_drag, boxes)
    if name in ARGUMENT_OF:
        value = _required(reference, ARGUMENT_OF[name])
        if name in ("scroll", "swipe") and _direction(value) is None:
            raise BadReferenceError(f"direction: expected up, down, left or right, found {value!r}")
        if name == "hotkey":
            _reference_keys(value)
        return _Expected(name, None, reference, _COMPARE[name])
    return _Expected(name, None, reference, _compare_name)


def _required(reference: Mapping[str, Any], key: str) -> Any:
    value = reference.get(key)
    if value is None or value in ("", []):
        raise BadReferenceError(f"{key}: missing from the reference")
    return value


def _target_boxes(space: Space, reference: Mapping[str, Any]) -> tuple[Box, ...]:
    if "bboxes" in reference:
        boxes = _required(reference, "bboxes")
        if not isinstance(boxes, list | tuple):
            raise BadReferenceError("bboxes: expected a list of boxes")
        return tuple(reference_box(space, box) for box in boxes)
    return (reference_box(space, _required(reference, "bbox")),)


# -- pointing


def _compare_point(expected: _Expected, action: Action) -> Finding:
    assert expected.space is not None
    point, box = action.arguments.get("point"), action.arguments.get("bbox")
    if (point is None) == (box is None):
        raise AnswerError("expected either a point or a box")
    if isinstance(point, list | tuple) and len(point) == 4 and box is None:
        point, box = None, point
    return _hit(expected.space, point, box, expected.boxes)


def _hit(space: Space, point: Any, box: Any, targets: tuple[Box, ...]) -> Finding:
    if point is not None:
        point = space.point(_unnested(point))
        if any(target.holds(point) for target in targets):
            return correct("inside the target")
        return _near_miss(space, point, targets)
    answered = space.box(_unnested(box))
    comparable = [t for t in targets if _comparable(answered, t)]
    if not comparable:
        return wrong("a box of another size than the target")
    if any(target.holds(answered.centre) for target in comparable):
        return correct("centred inside the target")
    return _near_miss(space, answered.centre, targets)


def _unnested(value: Any) -> Any:
    """``[[x, y]]`` as ``[x, y]``."""
    if isinstance(value, list | tuple) and len(value) == 1:
        return value[0]
    return value


def _comparable(answered: Box, target: Box) -> bool:
    ratio = answered.area / target.area
    return 1 / MAX_AREA_RATIO <= ratio <= MAX_AREA_RATIO


def _near_miss(space: Space, point: tuple[float, float], targets: tuple[Box, ...]) -> Finding:
    """Less than 1 by distance from the target, over the diagonal of the space."""
    diagonal = math.hypot(space.width, space.height)
    distance = min(
        math.hypot(
            max(target.x1 - point[0], 0.0, point[0] - target.x2),
            max(target.y1 - point[1], 0.0, point[1] - target.y2),
        )
        for target in targets
    )
    return graded(min(0.5, 0.5 * math.exp(-10 * distance / diagonal)), "outside the target")


def _compare_drag(expected: _Expected, action: Action) -> Finding:
    assert expected.space is not None
    arguments = action.arguments
    start, end = arguments.get("start", arguments.get("point")), arguments.get("end")
    if start is None or end is None:
        raise AnswerError("a drag needs start and end")
    ends = [
        _drag_end(expected.space, given, target)
        for given, target in zip((start, end), expected.boxes, strict=True)
    ]
    if all(finding.score >= 1.0 for finding in ends):
        return correct("from and to the targets")
    return graded(min(0.999, sum(f.score for f in ends) / 2), "an end outside its target")


def _drag_end(space: Space, end: Any, target: Box) -> Finding:
    end = _unnested(end)
    is_box = isinstance(end, list | tuple) and len(end) == 4
    return _hit(space, None if is_box else end, end if is_box else None, (target,))


# -- text, directions, names, keys


def _text(action: Action, key: str) -> str:
    value = action.arguments.get(key)
    if not isinstance(value, str):
        raise AnswerError(f"{action.name} needs {key}")
    return value


def _compare_typed(expected: _Expected, action: Action) -> Finding:
    typed, wanted = _text(action, "text"), str(expected.reference["text"])
    if typed.strip() == wanted.strip():
        return correct("the same text")
    return graded(min(0.9, token_f1(typed[:5_000], wanted[:5_000])), "another text")


def _direction(value: Any) -> str | None:
    return _DIRECTIONS.get(value.strip().lower()) if isinstance(value, str) else None


def _compare_direction(expected: _Expected, action: Action) -> Finding:
    found = _direction(_text(action, "direction"))
    if found is None:
        raise AnswerError("expected up, down, left or right")
    if found == _direction(expected.reference["direction"]):
        return correct("the same direction")
    return wrong(f"{found} is another direction")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _compare_named(key: str) -> Callable[[_Expected, Action], Finding]:
    def compare(expected: _Expected, action: Action) -> Finding:
        given = action.arguments.get(key, action.arguments.get("text"))
        if not isinstance(given, str):
            raise AnswerError(f"{action.name} needs {key}")
        if _folded(given) == _folded(str(expected.reference[key])):
            return correct(f"the same {key}")
        return wrong(f"another {key}")

    return compare


def _compare_status(expected: _Expected, action: Action) -> Finding:
    found, wanted = (
        _STATUSES.get(_folded(text), _folded(text))
        for text in (_text(action, "status"), str(expected.reference["status"]))
    )
    return correct("the same status") if found == wanted else wrong("another status")


def _compare_keys(expected: _Expected, action: Action) -> Finding:
    given = action.arguments.get("keys", action.arguments.get("text"))
    if _keys(given) == _reference_keys(expected.reference["keys"]):
        return correct("the same keys")
    return wrong("other keys")


def _reference_keys(value: Any) -> frozenset[str]:
    try:
        return _keys(value)
    except AnswerError as error:
        raise BadReferenceError(str(error)) from error


def _keys(value: Any) -> frozenset[str]:
    """Modifiers and key as a set: "Ctrl+C" = ["c", "control"]. Raises AnswerError."""
    if isinstance(value, str):
        text = value.strip()
        parts = (
            [text] if text in ("+", "-") else text.replace("-", "+").replace(" ", "+").split("+")
        )
    elif isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        parts = list(value)
    else:
        raise AnswerError("keys: expected text or a list of names")
    names = [part.strip().lower() for part in parts if part.strip()]
    if not names or len(names) > 8:
        raise AnswerError("keys: expected one to eight names")
    return frozenset(_KEYS.get(name, name) for name in names)


def _compare_name(expected: _Expected, action: Action) -> Finding:
    return correct(f"{expected.name}")


_COMPARE: dict[str, Callable[[_Expected, Action], Finding]] = {
    "type": _compare_typed,
    "answer": _compare_named("text"),
    "scroll": _compare_direction,
    "swipe": _compare_direction,
    "open_app": _compare_named("app"),
    "select": _compare_named("option"),
    "hotkey": _compare_keys,
    "status": _compare_status,
}
"""How each action of ``ARGUMENT_OF`` is compared."""
