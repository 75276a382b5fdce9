"""The one action an answer names: strict JSON, a fenced block of it, or a Python-style call."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError
from rewards.text.literals import check_size, read_literal, unfenced

# Every name an action may go by. One declared table: nothing else is guessed.
ALIASES: dict[str, str] = {
    **dict.fromkeys(["click", "tap", "left_click", "press_on", "touch"], "click"),
    **dict.fromkeys(["double_click", "doubleclick", "double_tap", "left_double"], "double_click"),
    **dict.fromkeys(["long_press", "longpress", "long_click", "press_and_hold"], "long_press"),
    **dict.fromkeys(["right_click", "rightclick", "right_single"], "right_click"),
    **dict.fromkeys(["hover", "move_to", "mouse_move", "move"], "hover"),
    **dict.fromkeys(["type", "input", "input_text", "type_text", "enter_text"], "type"),
    **dict.fromkeys(["scroll"], "scroll"),
    **dict.fromkeys(["swipe"], "swipe"),
    **dict.fromkeys(["drag", "drag_to", "left_click_drag", "drag_and_drop"], "drag"),
    **dict.fromkeys(["open_app", "open", "launch", "launch_app"], "open_app"),
    **dict.fromkeys(["select", "select_option", "choose"], "select"),
    **dict.fromkeys(["hotkey", "key", "keys", "press", "press_key", "key_press"], "hotkey"),
    **dict.fromkeys(["press_back", "back", "navigate_back", "go_back"], "back"),
    **dict.fromkeys(["press_home", "home", "navigate_home", "go_home"], "home"),
    **dict.fromkeys(["press_recent", "recent", "app_switch"], "recent"),
    **dict.fromkeys(["press_enter", "enter"], "enter"),
    **dict.fromkeys(["wait"], "wait"),
    **dict.fromkeys(["finished", "finish", "complete", "done", "status", "terminate"], "status"),
    **dict.fromkeys(["answer", "response"], "answer"),
    **dict.fromkeys(["screenshot"], "screenshot"),
    **dict.fromkeys(["none", "not_there", "null", "no_action"], "none"),
}
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
}
_NAMES = ("action", "action_type", "type", "name")
POINTING = frozenset(["click", "double_click", "long_press", "right_click", "hover"])
"""Actions that name a point on the screen."""
ARGUMENT_OF: dict[str, str] = {
    "type": "text",
    "answer": "text",
    "scroll": "direction",
    "swipe": "direction",
    "open_app": "app",
    "select": "option",
    "hotkey": "keys",
    "status": "status",
}
"""Actions with one argument that is no point; the remaining ones have none."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action under its canonical name, with its arguments under theirs."""

    name: str
    arguments: Mapping[str, Any]


def canonical_name(name: Any) -> str:
    """Return the canonical name. Raises AnswerError for one that is not in the table."""
    if not isinstance(name, str):
        raise AnswerError("the action has no name")
    folded = "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())
    if folded not in ALIASES:
        raise AnswerError(f"unknown action {name[:40]!r}")
    return ALIASES[folded]


def read_action(text: str) -> Action:
    """Read exactly one action. Raises AnswerError for none, several, or one that is broken."""
    text = unfenced(text)
    check_size(text)
    call = _python_call(text)
    if call is not None:
        return call
    value = read_literal(text)
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | tuple):
        raise AnswerError(f"expected one action, found {len(value)}")
    if value is None or value == "none":
        return Action("none", {})
    if not isinstance(value, dict):
        raise AnswerError("no action object")
    return _from_object(value)


def _from_object(value: dict[str, Any]) -> Action:
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
    found = Action(canonical_name(name), _canonical_arguments(value))
    if found.name == "status" and "status" not in found.arguments and name != "status":
        return Action("status", {"status": "success"})  # "finished" says so itself
    return found


def _canonical_arguments(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, argument in value.items():
        name = _ARGUMENTS.get(key)
        if argument is None or name is None:
            continue  # thoughts, amounts and the like are not compared
        if name in found:
            raise AnswerError(f"{name} is given twice")
        found[name] = argument
    return found


def _python_call(text: str) -> Action | None:
    """``click(point=[1, 2])``: parsed to a syntax tree, of which only literals are taken."""
    if not text.endswith(")") or not text[:1].isalpha() or len(text) > 20_000:
        return None
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise AnswerError("not a plain call") from error
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise AnswerError("not a plain call")
    try:
        positional = [ast.literal_eval(argument) for argument in node.args]
        keywords = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg}
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise AnswerError("an argument that is no literal") from error
    if len(keywords) < len(node.keywords):
        raise AnswerError("an argument that is no literal")
    name = canonical_name(node.func.id)
    arguments = _canonical_arguments(keywords)
    if len(positional) == 2 and all(isinstance(p, int | float) for p in positional):
        positional = [positional]
    if len(positional) > 1 or (positional and arguments):
        raise AnswerError("positional arguments")
    if positional:
        arguments[ARGUMENT_OF.get(name, "point")] = positional[0]
    return Action(name, arguments)
