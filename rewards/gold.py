"""The gold answer of a reference: how a perfect answer would write it.

This is the one owner of that rule. A reference that its own verifier does not pass in this form
is a fault of the data set (or of the verifier), and is found before a run starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import Box, read_space, reference_box


def gold_answer(
    domain: str, reference: Any, settings: Mapping[str, Any] = MappingProxyType({})
) -> str | None:
    """Return the answer that a perfect model would give where ``reference`` is right.

    The text is the bare answer, without thinking and without a box around it. For every
    reference that is valid in one of the built-in domains the domain's verifier passes it. A
    reference that is not valid is written as JSON, so that the verifier can say what is wrong
    with it. ``settings`` are the domain's; where they name a dialect, the answer is in it.
    Returns None for a domain of the user's own whose reference is neither text nor a number:
    only its verifier knows how to write that.

    >>> gold_answer("vqa", ["a red car", "car"])
    'a red car'
    >>> gold_answer("gui", {"coord": "norm999", "action": "click", "bbox": [100, 100, 200, 200]})
    '{"action": "click", "point": [150, 150]}'
    >>> swipe = {"action": "scroll", "direction": "down"}
    >>> gold_answer("gui", swipe, {"dialect": "os_atlas"})
    'SCROLL [DOWN]'
    """
    write = _WRITERS.get(domain)
    if write is not None:
        answer = write(reference)
    elif domain in _DIALECT_WRITERS:
        answer = _DIALECT_WRITERS[domain](reference, str(settings.get("dialect", "auto")))
    else:
        return str(reference) if _is_plain(reference) else None
    return answer if answer is not None and answer.strip() else _json(reference)


def gold_action(reference: Mapping[str, Any], dialect: str = "auto") -> dict[str, Any] | None:
    """Return the right action for a reference of the domain gui; None for one that is not valid.

    Its coordinates are in the space that the reference declares, or that the dialect implies.
    """
    from rewards.gui.actions import ARGUMENT_OF, POINTING, canonical_name

    implied = _implied_space(dialect)
    try:
        name = canonical_name(reference.get("action"))
        action: dict[str, Any] = {"action": reference["action"]}
        if name in POINTING and "mark" in reference:
            action["mark"] = reference["mark"]
        elif name in POINTING:
            box = reference["bboxes"][0] if "bboxes" in reference else reference["bbox"]
            action["point"] = _centre(_box(reference, box, implied))
        elif name == "drag":
            for key in ("start", "end"):
                action[key] = _centre(_box(reference, reference[f"{key}_bbox"], implied))
        elif name in ARGUMENT_OF:
            value = reference[ARGUMENT_OF[name]]
            action[ARGUMENT_OF[name]] = value if name == "hotkey" else str(value)
    except (AnswerError, BadReferenceError, LookupError, TypeError):
        return None
    return action


def written_action(
    action: Mapping[str, Any], reference: Mapping[str, Any], dialect: str = "auto"
) -> str | None:
    """Write an action, as ``gold_action`` returns it, in a dialect; None where that has no word.

    Dialects that point with a box get one of the size of the reference's first, around the point.
    """
    from rewards.gui.actions import Action, canonical_name
    from rewards.gui.dialects.table import dialect_named

    language = dialect_named(dialect)
    if language is None or dialect == "plain":
        return _json(action)
    try:
        name = canonical_name(action["action"])
        space = read_space(reference, language.space) if _has_space(reference, dialect) else None
        arguments = {key: value for key, value in action.items() if key != "action"}
        if "point" in arguments and "bbox" not in arguments:
            first = reference["bboxes"][0] if "bboxes" in reference else reference["bbox"]
            arguments["bbox"] = _around(arguments["point"], _box(reference, first, language.space))
    except (AnswerError, BadReferenceError, LookupError, TypeError):
        return None
    return language.write(Action(name, arguments), space)


def _has_space(reference: Mapping[str, Any], dialect: str) -> bool:
    return "coord" in reference or _implied_space(dialect) not in (None, "pixel")


def _implied_space(dialect: str) -> str | None:
    from rewards.gui.dialects.table import dialect_named

    language = dialect_named(dialect)
    return None if language is None else language.space


def _around(point: list[float], box: Box) -> list[float]:
    """The corners of a box of the same size around another point."""
    right, down = point[0] - box.centre[0], point[1] - box.centre[1]
    corners = (box.x1 + right, box.y1 + down, box.x2 + right, box.y2 + down)
    return [_short(number) for number in corners]


def _is_plain(reference: Any) -> bool:
    return isinstance(reference, str | int | float) and not isinstance(reference, bool)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _plain(reference: Any) -> str | None:
    """Text or a number."""
    return str(reference) if _is_plain(reference) else None


def _joined(reference: Any) -> str | None:
    """Text, a number, or a list of them with commas between; lists in lists are run together."""
    if not isinstance(reference, list | tuple):
        return _plain(reference)
    items = [_joined(item) for item in reference]
    return None if None in items else ", ".join(str(item) for item in items)


def _math(reference: Any) -> str | None:
    """As joined, with the escapes mended that were damaged on the way."""
    from rewards.math.reading.escapes import repaired

    written = _joined(reference)
    return None if written is None else repaired(written)


def _first(reference: Any) -> str | None:
    """Text or a number, or the first of a list of which any is right."""
    if isinstance(reference, list):
        return _plain(reference[0]) if reference else None
    return _plain(reference)


def _vqa(reference: Any) -> str | None:
    return _yes_no(reference) if isinstance(reference, bool) else _first(reference)


def _yes_no(reference: bool) -> str:
    return "yes" if reference else "no"


def _charts(reference: Any) -> str | None:
    """A value, values with commas between, or a table with bars between its cells."""
    if isinstance(reference, dict):
        if "table" in reference:
            return _table(reference["table"])
        reference = reference.get("value", reference.get("answer"))
    if not isinstance(reference, list):
        return _yes_no(reference) if isinstance(reference, bool) else _plain(reference)
    if any(isinstance(row, list) for row in reference):
        return _table(reference)
    return _values(reference)


def _values(values: list[Any]) -> str:
    """Items with commas between, or JSON where those would be read as other items."""
    from rewards.charts.lists import split

    texts = [_yes_no(value) if isinstance(value, bool) else str(value) for value in values]
    written = ", ".join(texts)
    return written if split(written) == texts else _json(texts)


def _table(rows: Any) -> str | None:
    """Rows as lines with bars, or JSON where those would be read as another table."""
    from rewards.charts.tables import read_table

    table = read_table(rows)
    if table is None or isinstance(rows, str):
        return _plain(rows)
    written = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return written if read_table(written) == table else _json(rows)


def _gui(reference: Any, dialect: str) -> str | None:
    if not isinstance(reference, Mapping):
        return None
    action = gold_action(reference, dialect)
    return None if action is None else written_action(action, reference, dialect)


def _grounding(reference: Any, dialect: str) -> str | None:
    """Boxes, points in the middle of the boxes, or the segment."""
    if not isinstance(reference, Mapping):
        return None
    if reference.get("mode") == "temporal":
        return _json(reference.get("segment"))
    from rewards.grounding.dialects import DIALECTS, tagged

    language = DIALECTS[dialect]
    try:
        boxes = [_box(reference, box, language.space) for box in reference["boxes"]]
    except (BadReferenceError, LookupError, TypeError):
        return None
    found = [[_short(number) for number in (b.x1, b.y1, b.x2, b.y2)] for b in boxes]
    if reference.get("mode") == "point":
        found = [_centre(box) for box in boxes]
    labels = reference.get("labels")
    named = isinstance(labels, list | tuple) and len(labels) == len(boxes)
    names = [str(label) for label in labels] if named else [None] * len(boxes)  # type: ignore[union-attr]
    if found and "json" not in language.notations:
        return tagged(language, found, names)
    if named and reference.get("mode") != "point":
        pairs = zip(found, names, strict=True)
        return _json([{"bbox_2d": box, "label": name} for box, name in pairs])
    return _json(found)


def _box(reference: Mapping[str, Any], value: Any, implied: str | None) -> Box:
    return reference_box(read_space(reference, implied), value)


def _centre(box: Box) -> list[float]:
    return [_short(number) for number in box.centre]


def _short(number: float) -> float:
    """A whole number without a decimal point."""
    return int(number) if number == int(number) else number


_WRITERS: dict[str, Callable[[Any], str | None]] = {
    "charts": _charts,
    "chemistry": _plain,
    "choice": _joined,
    "counting": _plain,
    "judge": _first,
    "math": _math,
    "ocr": _plain,
    "physics": _math,
    "text": _first,
    "vqa": _vqa,
}
_DIALECT_WRITERS: dict[str, Callable[[Any, str], str | None]] = {
    "grounding": _grounding,
    "gui": _gui,
}
