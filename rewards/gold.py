"""The gold answer of a reference: how a perfect answer would write it.

This is the one owner of that rule. A reference that its own verifier does not pass in this form
is a fault of the data set (or of the verifier), and is found before a run starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import Box, read_space, reference_box


def gold_answer(domain: str, reference: Any) -> str | None:
    """Return the answer that a perfect model would give where ``reference`` is right.

    The text is the bare answer, without thinking and without a box around it. For every
    reference that is valid in one of the built-in domains the domain's verifier passes it. A
    reference that is not valid is written as JSON, so that the verifier can say what is wrong
    with it. Returns None for a domain of the user's own whose reference is neither text nor a
    number: only its verifier knows how to write that.

    >>> gold_answer("vqa", ["a red car", "car"])
    'a red car'
    >>> gold_answer("gui", {"coord": "norm999", "action": "click", "bbox": [100, 100, 200, 200]})
    '{"action": "click", "point": [150, 150]}'
    """
    write = _WRITERS.get(domain)
    if write is None:
        return str(reference) if _is_plain(reference) else None
    answer = write(reference)
    return answer if answer is not None and answer.strip() else _json(reference)


def gold_action(reference: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the right action for a reference of the domain gui; None for one that is not valid."""
    from rewards.gui.actions import ARGUMENT_OF, POINTING, canonical_name

    try:
        name = canonical_name(reference.get("action"))
        action: dict[str, Any] = {"action": reference["action"]}
        if name in POINTING:
            box = reference["bboxes"][0] if "bboxes" in reference else reference["bbox"]
            action["point"] = _centre(_box(reference, box))
        elif name == "drag":
            for key in ("start", "end"):
                action[key] = _centre(_box(reference, reference[f"{key}_bbox"]))
        elif name in ARGUMENT_OF:
            value = reference[ARGUMENT_OF[name]]
            action[ARGUMENT_OF[name]] = value if name == "hotkey" else str(value)
    except (AnswerError, BadReferenceError, LookupError, TypeError):
        return None
    return action


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


def _gui(reference: Any) -> str | None:
    action = gold_action(reference) if isinstance(reference, Mapping) else None
    return None if action is None else _json(action)


def _grounding(reference: Any) -> str | None:
    """Boxes, points in the middle of the boxes, or the segment."""
    if not isinstance(reference, Mapping):
        return None
    if reference.get("mode") == "temporal":
        return _json(reference.get("segment"))
    try:
        boxes = [_box(reference, box) for box in reference["boxes"]]
    except (BadReferenceError, LookupError, TypeError):
        return None
    if reference.get("mode") == "point":
        return _json([_centre(box) for box in boxes])
    corners = [[_short(number) for number in (b.x1, b.y1, b.x2, b.y2)] for b in boxes]
    labels = reference.get("labels")
    if isinstance(labels, list | tuple) and len(labels) == len(boxes):
        pairs = zip(corners, labels, strict=True)
        return _json([{"bbox_2d": box, "label": str(label)} for box, label in pairs])
    return _json(corners)


def _box(reference: Mapping[str, Any], value: Any) -> Box:
    return reference_box(read_space(reference), value)


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
    "grounding": _grounding,
    "gui": _gui,
    "judge": _first,
    "math": _math,
    "ocr": _plain,
    "physics": _math,
    "text": _first,
    "vqa": _vqa,
}
