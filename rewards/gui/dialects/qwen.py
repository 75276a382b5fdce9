"""Qwen2-VL, Qwen2.5-VL, Qwen3-VL: the tools ``computer_use`` and ``mobile_use``.

Qwen2-VL and Qwen3-VL count from 0 to 1000, Qwen2.5-VL in pixels of the resized picture. Source:
the cookbooks of github.com/QwenLM/Qwen3-VL (``agent_function_call``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import listed
from rewards.gui.dialects.source import NotThisDialectError, Source
from rewards.gui.dialects.syntax import literal, named_object, shortened
from rewards.text.literals import read_literal

_COORDINATE = {"coordinate": "point"}
_TIME = frozenset({"time"})
_BUTTONS = {"Back": "back", "Home": "home", "Menu": "recent", "Enter": "enter"}
_MOBILE = (
    Form("click", "click", _COORDINATE),
    Form("long_press", "long_press", _COORDINATE, _TIME),
    Form("swipe", "swipe", {"coordinate": "start", "coordinate2": "end"}),
    Form("type", "type", {"text": "text"}),
    Form("answer", "answer", {"text": "text"}),
    *(Form("system_button", action, fixed={"button": name}) for name, action in _BUTTONS.items()),
    Form("open", "open_app", {"text": "app"}),
    Form("key", "hotkey", {"text": "keys"}),
    Form("wait", "wait", {}, _TIME),
    Form("terminate", "status", {"status": "status"}),
)
_COMPUTER = (
    Form("left_click", "click", _COORDINATE),
    Form("double_click", "double_click", _COORDINATE),
    Form("triple_click", "triple_click", _COORDINATE),
    Form("right_click", "right_click", _COORDINATE),
    Form("middle_click", "middle_click", _COORDINATE),
    Form("mouse_move", "hover", _COORDINATE),
    Form("left_click_drag", "drag", {"start_coordinate": "start", "coordinate": "end"}),
    Form("left_click_drag", "drag", {"coordinate": "end"}),  # from where the mouse is
    Form("key", "hotkey", {"keys": "keys"}),
    Form("type", "type", {"text": "text"}),
    Form("scroll", "scroll", {"pixels": "wheel"}, frozenset({"coordinate"})),
    Form("answer", "answer", {"text": "text"}),
    Form("wait", "wait", {}, _TIME),
    Form("terminate", "status", {"status": "status"}),
)
_TOOLS = {"mobile_use": _MOBILE, "computer_use": _COMPUTER}


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    inner = source.tool_call()
    value = literal(inner)
    if not isinstance(value, dict):
        raise NotThisDialectError("no tool call")
    if "name" not in value:
        return named_object(value, "action")
    tool = _TOOLS.get(value["name"]) if isinstance(value["name"], str) else None
    if tool is None:
        raise NotThisDialectError("a tool other than computer_use and mobile_use")
    if value.keys() != {"name", "arguments"}:
        raise AnswerError("a tool call: expected name and arguments, and nothing else")
    arguments = value["arguments"]
    if isinstance(arguments, str):  # as servers hand tool calls on
        arguments = read_literal(arguments)
    name, given = named_object(arguments, "action")
    given = {key: argument for key, argument in given.items() if argument is not None}
    if not any(_writes(form, name, given) for form in tool):
        raise AnswerError(f"{value['name']} has no action {name[:40]!r} with such arguments")
    return name, given


def _show(name: str, given: Mapping[str, Any]) -> str:
    fitting = (tool for tool, forms in _TOOLS.items() for f in forms if _writes(f, name, given))
    call = {"name": next(fitting), "arguments": {"action": name, **given}}
    return f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"


def _writes(form: Form, name: str, given: Mapping[str, Any]) -> bool:
    return form.name == name and form.fits(given)


_GRAMMAR = Grammar(
    forms=[*_MOBILE, *_COMPUTER],
    parse=_parse,
    show=_show,
    shown=re.compile("<tool_call>|coordinate|text|button|pixels|keys|status|wait"),
    place=listed,
    spell=shortened,
)
_SOURCE = "https://github.com/QwenLM/Qwen3-VL"
DIALECTS = (
    _GRAMMAR.dialect("qwen2_vl", "norm1000", "Qwen2-VL", _SOURCE),
    _GRAMMAR.dialect("qwen2_5_vl", "pixel", "Qwen2.5-VL: pixels of the resized picture", _SOURCE),
    _GRAMMAR.dialect("qwen3_vl", "norm1000", "Qwen3-VL", _SOURCE),
)
