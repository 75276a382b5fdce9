"""GUI actions: the type first, then its arguments, in the declared coordinate space.

Sources: the action sets of GUI-R1, UI-R1, AITW and GLM-4.1V; their known faults (evaluated
output, one-letter substrings, ignored directions) are what the strict rules answer. How models
write actions is ``dialects``. Left out: sequences of actions; one answer is one action.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import Box, Space, numbers, read_space, reference_box
from rewards.gui.actions import ALIASES, ARGUMENT_OF, POINTING, Action, canonical_name
from rewards.gui.dialects.dialect import Dialect
from rewards.gui.dialects.table import DialectName, dialect_named, read_action
from rewards.gui.vocabulary import direction_of, folded_name, keys_of, status_of, travel
from rewards.settings import Setting, Settings
from rewards.text.words import token_f1
from rewards.verdict import Finding, Request, correct, graded, wrong

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
    dialect: Annotated[
        DialectName,
        Setting(
            description="How the model writes actions. A name is strict, and its coordinate "
            "space counts for references that declare none; with 'auto' every dialect that can "
            "read an answer must read the same action, and references declare their space."
        ),
    ] = "auto"


class GuiVerifier:
    """Judges one predicted action."""

    pass_mark = 1.0

    def __init__(self, settings: GuiSettings) -> None:
        self._settings = settings
        self._dialect = dialect_named(settings.dialect)

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare the action in ``answer`` with the reference object."""
        expected = _read_reference(request.reference, self._dialect)
        action = read_action(answer, self._dialect, click_alone=expected.name == "click")
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


def _read_reference(reference: Any, dialect: Dialect | None) -> _Expected:
    if not isinstance(reference, Mapping):
        raise BadReferenceError(f"expected an object, found {type(reference).__name__}")
    try:
        name = canonical_name(reference.get("action"))
    except AnswerError as error:
        raise BadReferenceError(
            f"{error}; known: {', '.join(sorted(set(ALIASES.values())))}"
        ) from None
    if dialect is not None:
        _check_dialect(dialect, name, reference)
    implied = dialect.space if dialect is not None else None
    if name in POINTING:
        if "mark" in reference:
            return _Expected(name, None, reference, _compare_mark)
        space = read_space(reference, implied)
        return _Expected(name, space, reference, _compare_point, _target_boxes(space, reference))
    if name == "drag":
        space = read_space(reference, implied)
        boxes = tuple(
            reference_box(space, _required(reference, key)) for key in ("start_bbox", "end_bbox")
        )
        return _Expected(name, space, reference, _compare_drag, boxes)
    if name in ARGUMENT_OF:
        return _read_argument(name, reference, dialect)
    return _Expected(name, None, reference, _compare_name)


def _check_dialect(dialect: Dialect, name: str, reference: Mapping[str, Any]) -> None:
    """Refuse a reference that no answer in the dialect of the settings could meet."""
    if name not in dialect.actions:
        raise BadReferenceError(
            f"action: the dialect {dialect.name} has no {name}; it has "
            f"{', '.join(sorted(dialect.actions))}"
        )
    target = "mark" if "mark" in reference else "place"
    if name in POINTING and target not in dialect.targets:
        expected = "bbox or bboxes" if target == "mark" else "the mark of a numbered element"
        raise BadReferenceError(f"expected {expected} for the dialect {dialect.name}")


def _read_argument(name: str, reference: Mapping[str, Any], dialect: Dialect | None) -> _Expected:
    """A reference whose action has one argument that is no point."""
    key = ARGUMENT_OF[name]
    value = _required(reference, key)
    implied = dialect.space if dialect is not None else None
    space = None
    if name in ("scroll", "swipe"):
        if direction_of(value) is None:
            raise BadReferenceError(f"direction: expected up, down, left or right, found {value!r}")
        if "coord" in reference or implied not in (None, "pixel"):
            space = read_space(reference, implied)  # of the points between which a model swipes
    if name == "hotkey":
        _reference_keys(value)
    if dialect is not None and dialect.write(Action(name, {key: value}), None) is None:
        raise BadReferenceError(f"{key}: the dialect {dialect.name} cannot say {name} {value!r}")
    return _Expected(name, space, reference, _COMPARE[name])


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


def _compare_mark(expected: _Expected, action: Action) -> Finding:
    """A numbered element, as its number is written on the picture."""
    mark = action.arguments.get("mark")
    if isinstance(mark, bool) or not isinstance(mark, str | int):
        raise AnswerError("expected the mark of a numbered element")
    if str(mark).strip() == str(_required(expected.reference, "mark")).strip():
        return correct("the same element")
    return wrong("another element")


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


def _compare_direction(expected: _Expected, action: Action) -> Finding:
    found = _direction(expected.space, action)
    if found == direction_of(expected.reference["direction"]):
        return correct("the same direction")
    return wrong(f"{found} is another direction")


def _direction(space: Space | None, action: Action) -> str:
    """The direction that an action names, or that its start and end make."""
    start, end = action.arguments.get("start"), action.arguments.get("end")
    if "direction" not in action.arguments and start is not None and end is not None:
        points = [_unnested(start), _unnested(end)]
        first, last = (space.point(p) if space else tuple(numbers(p, 2)) for p in points)
        return travel((first[0], first[1]), (last[0], last[1]))
    found = direction_of(_text(action, "direction"))
    if found is None:
        raise AnswerError("expected up, down, left or right")
    return found


def _compare_named(key: str) -> Callable[[_Expected, Action], Finding]:
    def compare(expected: _Expected, action: Action) -> Finding:
        given = action.arguments.get(key, action.arguments.get("text"))
        if not isinstance(given, str):
            raise AnswerError(f"{action.name} needs {key}")
        if folded_name(given) == folded_name(str(expected.reference[key])):
            return correct(f"the same {key}")
        return wrong(f"another {key}")

    return compare


def _compare_status(expected: _Expected, action: Action) -> Finding:
    found, wanted = _text(action, "status"), str(expected.reference["status"])
    if status_of(found) == status_of(wanted):
        return correct("the same status")
    return wrong("another status")


def _compare_keys(expected: _Expected, action: Action) -> Finding:
    given = action.arguments.get("keys", action.arguments.get("text"))
    if keys_of(given) == _reference_keys(expected.reference["keys"]):
        return correct("the same keys")
    return wrong("other keys")


def _reference_keys(value: Any) -> frozenset[str]:
    try:
        return keys_of(value)
    except AnswerError as error:
        raise BadReferenceError(str(error)) from error


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
