"""OS-Atlas: ``CLICK <point>[[x,y]]</point>``, ``TYPE [text]``, ``SCROLL [DOWN]``, 0 to 1000.

Source: the prompts of github.com/OS-Copilot/OS-Atlas; its custom actions are those that it lists
for phones and desktops.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import POINT_TAG_SQUARE, spelled
from rewards.gui.dialects.source import NotThisDialectError, Source
from rewards.gui.dialects.syntax import spelled_out

_LABEL = re.compile(r"^[ \t]*actions?[ \t]*:", re.MULTILINE | re.IGNORECASE)
_BEFORE = re.compile(r"thoughts?[ \t]*:", re.IGNORECASE)
_LINE = re.compile(r"([A-Z_]{2,20})(?:\s+(<point>.*</point>)|\s*\[(.*)\])?", re.DOTALL)
_POINTS = {
    "CLICK": "click",
    "DOUBLE_CLICK": "double_click",
    "RIGHT_CLICK": "right_click",
    "LONG_PRESS": "long_press",
    "MOVETO": "hover",
}
_NAMES = {
    "PRESS_BACK": "back",
    "PRESS_HOME": "home",
    "PRESS_RECENT": "recent",
    "ENTER": "enter",
    "WAIT": "wait",
}


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    text = source.labelled(_LABEL, _BEFORE, None).text
    match = _LINE.fullmatch(text)
    if match is None:
        raise NotThisDialectError("no action in capitals")
    name, point, value = match.groups()
    if point is not None:
        return name, {"point": point}
    return name, {} if value is None else {"value": value}


def _show(name: str, given: Mapping[str, Any]) -> str:
    if "point" in given:
        return f"{name} {given['point']}"
    return f"{name} [{given['value']}]" if "value" in given else name


def _place(value: Any) -> list[float]:
    place = spelled(value, POINT_TAG_SQUARE)
    if len(place) != 2:
        raise AnswerError("expected a point of two numbers")
    return place


def _spell(place: list[float]) -> str:
    return f"<point>[[{spelled_out(place)}]]</point>"


_GRAMMAR = Grammar(
    forms=[
        *(Form(name, action, {"point": "point"}) for name, action in _POINTS.items()),
        Form("TYPE", "type", {"value": "text"}),
        *(
            Form("SCROLL", "scroll", fixed={"value": name}, says={"direction": name.lower()})
            for name in ("UP", "DOWN", "LEFT", "RIGHT")
        ),
        Form("OPEN_APP", "open_app", {"value": "app"}),
        Form("HOTKEY", "hotkey", {"value": "keys"}),
        *(Form(name, action) for name, action in _NAMES.items()),
        Form("COMPLETE", "status", says={"status": "success"}),
        Form("IMPOSSIBLE", "status", says={"status": "failure"}),
    ],
    parse=_parse,
    shown=re.compile("[A-Z]{4}"),
    show=_show,
    place=_place,
    spell=_spell,
    keys="+".join,
)
DIALECTS = (
    _GRAMMAR.dialect("os_atlas", "norm1000", "OS-Atlas", "https://github.com/OS-Copilot/OS-Atlas"),
)
