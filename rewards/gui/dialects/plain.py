"""Our own form: one action as strict JSON, a fenced block of it, or a plain call.

Keys that it does not know (thoughts, amounts and the like) are not compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.geometry.boxes import Space
from rewards.gui.actions import ALIASES, ARGUMENT_OF, POINTING, Action, canonical_name
from rewards.gui.dialects.dialect import Dialect
from rewards.gui.dialects.places import listed
from rewards.gui.dialects.source import Source

_ARGUMENTS: dict[str, str] = {
    **dict.fromkeys(["point", "coordinate", "coordinates", "position", "start_point"], "point"),
    **dict.fromkeys(["bbox", "box", "bbox_2d"], "bbox"),
    **dict.fromkeys(["text", "content", "value"], "text"),
    **dict.fromkeys(["direction"], "direction"),
    **dict.fromkeys(["start", "start_box", "from"], "start"),
    **dict.fromkeys(["end", "end_box", "end_point", "to"], "end"),
    **dict.fromkeys(["app", "app_name"], "app"),
    **dict.fromkeys(["option"], "option"),
    **dict.fromkeys(["keys", "key"], "keys"),
    **dict.fromkeys(["status", "goal_status"], "status"),
    **dict.fromkeys(["mark"], "mark"),
}
_ELSEWHERE = frozenset(
    ["x", "y", "box_2d", "point_2d", "coordinate2", "start_coordinate", "end_coordinate",
     "from_coord", "to_coord"]
)  # fmt: skip
"""Keys by which a dialect names a place: next to a place of ours they would be a second one."""
_NAMES = ("action", "action_type", "type", "name")
_NOTHING = ("null", "None", '"none"', "'none'")
_PLACES = ("point", "bbox", "start", "end")


def read(source: Source) -> Action:
    """Read exactly one action. Raises AnswerError for none, several, or one that is broken."""
    return _read(source)[0]


def read_whole(source: Source) -> Action | None:
    """Read an action of which every key is known and just what it needs; None for another.

    Only such an action takes part in deciding whether dialects read a text alike.
    """
    try:
        action, unknown = _read(source)
        arguments = {
            key: tuple(listed(value)) if key in _PLACES else value
            for key, value in action.arguments.items()
        }
    except AnswerError:
        return None
    if len(arguments.get("point", ())) == 4:
        arguments["bbox"] = arguments.pop("point")
    whole = not unknown and _is_needed(action.name, arguments)
    return Action(action.name, arguments) if whole else None


def _is_needed(name: str, arguments: Mapping[str, Any]) -> bool:
    if name in POINTING:
        return set(arguments) in ({"point"}, {"bbox"}, {"mark"})
    if name == "drag":
        return set(arguments) == {"start", "end"}
    return set(arguments) == ({ARGUMENT_OF[name]} if name in ARGUMENT_OF else set())


def _read(source: Source) -> tuple[Action, bool]:
    """The action, and whether it has keys that are not known."""
    text = source.text
    if text.endswith(")") and text[:1].isalpha():
        return _from_call(source)
    value = None if text in _NOTHING else source.literal()
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | tuple):
        raise AnswerError(f"expected one action, found {len(value)}")
    if value is None:
        return Action("none", {}), False
    if not isinstance(value, dict):
        raise AnswerError("no action object")
    return _from_object(value)


def _from_object(value: dict[str, Any]) -> tuple[Action, bool]:
    value = dict(value)
    arguments = value.pop("arguments", value.pop("args", None))
    named = [key for key in _NAMES if key in value]
    if not named:
        raise AnswerError("the action has no name")
    name = value.pop(named[0])
    if isinstance(arguments, dict):
        if set(arguments) & set(value):
            raise AnswerError("an argument that appears twice")
        value |= arguments
    elif arguments is not None:
        raise AnswerError("arguments that are no object")
    found, unknown = _canonical_arguments(value)
    action = Action(canonical_name(name), found)
    if action.name == "status" and "status" not in found and name != "status":
        return Action("status", {**found, "status": "success"}), unknown  # "finished" says so
    return action, unknown


def _canonical_arguments(value: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    found: dict[str, Any] = {}
    unknown = elsewhere = False
    for key, argument in value.items():
        name = _ARGUMENTS.get(key)
        if argument is None:
            continue
        if name is None:
            unknown = True  # thoughts, amounts and the like are not compared
            elsewhere = elsewhere or key in _ELSEWHERE
            continue
        if name in found:
            raise AnswerError(f"{name} is given twice")
        found[name] = argument
    if elsewhere and not found.keys().isdisjoint(_PLACES):
        raise AnswerError("a place is given twice")
    return found, unknown


def _from_call(source: Source) -> tuple[Action, bool]:
    """``click(point=[1, 2])`` and ``click(1, 2)``."""
    call = source.call()
    name = canonical_name(call.name)
    arguments, unknown = _canonical_arguments(call.keywords)
    positional = list(call.positional)
    if len(positional) == 2 and all(isinstance(p, int | float) for p in positional):
        positional = [positional]
    if len(positional) > 1 or (positional and arguments):
        raise AnswerError("positional arguments")
    if positional:
        arguments[ARGUMENT_OF.get(name, "point")] = positional[0]
    return Action(name, arguments), unknown


def write(action: Action, space: Space | None) -> str | None:
    """Write an action as JSON; of a point and a box the point."""
    written = {key: value for key, value in action.arguments.items() if key != "bbox"}
    if "point" not in written and "bbox" in action.arguments:
        written["bbox"] = action.arguments["bbox"]
    return json.dumps({"action": action.name, **written}, ensure_ascii=False, default=str)


PLAIN = Dialect(
    name="plain",
    models="yours, if you tell it to",
    example='{"action": "click", "point": [500, 250]}',
    space=None,
    source="rewards/README.md",
    shown=re.compile(""),
    actions=frozenset(ALIASES.values()),
    targets=frozenset({"place", "mark"}),
    read=read,
    write=write,
)
