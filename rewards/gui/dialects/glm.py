"""GLM-4.1V, GLM-4.5V, GLM-4.6V: objects on phones, calls on desktops and the web, 0 to 999.

Source: the agents' pages and the reward package of github.com/zai-org/GLM-V.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import DOUBLE_SQUARE, ROUND, SQUARE, listed, spelled
from rewards.gui.dialects.source import Source
from rewards.gui.dialects.syntax import (
    called,
    literal,
    named_object,
    shortened,
    show_call,
    show_object,
    spelled_out,
)

_LABEL = re.compile(r"^[ \t]*Action[ \t]*:", re.MULTILINE)
_AFTER = re.compile(r"^[ \t]*(?:Memory|Memory_Updated)[ \t]*:", re.MULTILINE)
_SOURCE = "https://github.com/zai-org/GLM-V"
_ELEMENT = frozenset({"element_info"})


def _opened(source: Source) -> Source:
    """What the model's labels and its box hold; before the action it may write anything."""
    return source.labelled(_LABEL, None, _AFTER).unboxed()


def _parse_object(source: Source) -> tuple[str, Mapping[str, Any]]:
    return named_object(literal(_opened(source)), "action_type")


def _parse_call(source: Source) -> tuple[str, Mapping[str, Any]]:
    return called(_opened(source))


def _box(value: Any) -> list[float]:
    """``[[x1, y1, x2, y2]]``."""
    if not isinstance(value, list) or len(value) != 1:
        raise AnswerError("box_2d: expected [[xmin, ymin, xmax, ymax]]")
    return listed(value)


def _place(value: Any) -> list[float]:
    """``'[x,y]'``, ``(x, y)`` or ``[[x1, y1, x2, y2]]``."""
    if isinstance(value, str):
        return spelled(value, SQUARE, DOUBLE_SQUARE, ROUND)
    return listed(value)


def _spell_box(place: list[float]) -> list[list[float]]:
    return [shortened(place)]


def _spell_text(place: list[float]) -> str:
    return f"[{spelled_out(place)}]"


def _spell(place: list[float]) -> Any:
    return tuple(shortened(place)) if len(place) == 2 else [shortened(place)]


def _plus(names: list[str]) -> str:
    return "+".join(names)


_MOBILE = Grammar(
    forms=[
        *(Form(name, name, {"box_2d": "bbox"}) for name in ("click", "long_press")),
        Form("double_tap", "double_click", {"box_2d": "bbox"}),
        Form("input_text", "type", {"text": "text"}, frozenset({"box_2d", "override"})),
        Form("keyboard_enter", "enter"),
        Form("navigate_home", "home"),
        Form("navigate_back", "back"),
        Form("swipe", "swipe", {"direction": "direction"}, frozenset({"box_2d"})),
        Form("open_app", "open_app", {"app_name": "app"}),
        Form("wait", "wait"),
        Form("status", "status", {"goal_status": "status"}),
        Form("answer", "answer", {"text": "text"}),
    ],
    parse=_parse_object,
    show=show_object("action_type"),
    shown=re.compile("action_type"),
    place=_box,
    spell=_spell_box,
)
_CLICKS = {
    "left_click": "click",
    "right_click": "right_click",
    "middle_click": "middle_click",
    "left_double_click": "double_click",
    "hover": "hover",
}
_COMPUTER = Grammar(
    forms=[
        *(Form(name, action, {"start_box": "point"}, _ELEMENT) for name, action in _CLICKS.items()),
        Form("left_drag", "drag", {"start_box": "start", "end_box": "end"}, _ELEMENT),
        Form("key", "hotkey", {"keys": "keys"}),
        Form("type", "type", {"content": "text"}),
        Form(
            "scroll", "scroll", {"direction": "direction"}, _ELEMENT | {"start_box", "step"},
            defaults={"start_box": "[500,500]", "step": 5},
        ),
        Form("WAIT", "wait"),
        Form("DONE", "status", says={"status": "success"}),
        Form("FAIL", "status", says={"status": "failure"}),
    ],
    parse=_parse_call,
    show=show_call,
    shown=re.compile(r"\)\s*(?:\Z|```|\n|<)"),
    place=_place,
    spell=_spell_text,
    keys=_plus,
)  # fmt: skip
_POINTS = {
    "CLICK": "click",
    "DOUBLE_CLICK": "double_click",
    "RIGHT_CLICK": "right_click",
    "HOVER": "hover",
}
_PLACE = frozenset({"point", "box", "element_info"})
_WEB = Grammar(
    forms=[
        *(
            Form(name, action, arguments, _ELEMENT)
            for name, action in _POINTS.items()
            for arguments in (
                {"point": "point"}, {"box": "bbox"}, {"point": "point", "box": "within"},
            )
        ),
        Form("TYPE", "type", {"text": "text"}, _PLACE),
        Form("KEY_PRESS", "hotkey", {"key": "keys"}),
        *(
            Form(f"SCROLL_{direction.upper()}", "scroll", {},
                 _PLACE | {"distance", "step_count"}, says={"direction": direction})
            for direction in ("up", "down", "left", "right")
        ),
        Form("GO_BACK", "back"),
        Form("WAIT", "wait"),
        Form("ANSWER", "answer", {"content": "text"}),
    ],
    parse=_parse_call,
    show=show_call,
    shown=re.compile(r"\)\s*(?:\Z|```|\n|<)"),
    place=_place,
    spell=_spell,
    keys=_plus,
)  # fmt: skip

_MODELS = "GLM-4.1V, GLM-4.5V, GLM-4.6V"
DIALECTS = (
    _MOBILE.dialect("glm_mobile", "norm999", f"{_MODELS} on phones (AndroidWorld)", _SOURCE),
    _COMPUTER.dialect("glm_computer", "norm999", f"{_MODELS} on desktops (OSWorld)", _SOURCE),
    _WEB.dialect("glm_web", "norm999", f"{_MODELS} on the web (WebVoyager)", _SOURCE),
)
