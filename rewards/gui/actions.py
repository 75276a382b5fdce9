"""Actions under one name each, with their arguments: what every dialect is read into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError

# Every name an action may go by. One declared table: nothing else is guessed.
ALIASES: dict[str, str] = {
    **dict.fromkeys(["click", "tap", "left_click", "press_on", "touch"], "click"),
    **dict.fromkeys(["double_click", "doubleclick", "double_tap", "left_double"], "double_click"),
    **dict.fromkeys(["triple_click", "tripleclick"], "triple_click"),
    **dict.fromkeys(["long_press", "longpress", "long_click", "press_and_hold"], "long_press"),
    **dict.fromkeys(["right_click", "rightclick", "right_single"], "right_click"),
    **dict.fromkeys(["middle_click", "middleclick"], "middle_click"),
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
POINTING = frozenset(
    ["click", "double_click", "triple_click", "long_press", "right_click", "middle_click", "hover"]
)
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
    """An action under its canonical name, with its arguments under theirs.

    The arguments are ``point`` or ``bbox`` where the action points, ``start`` and ``end`` where
    it goes from one point to another, or the one of ``ARGUMENT_OF``.
    """

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
