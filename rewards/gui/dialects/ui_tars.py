"""UI-TARS: ``Thought: …`` and ``Action: click(start_box='(x,y)')`` or ``<point>x y</point>``.

Version 1.0 counts from 0 to 1000, version 1.5 in pixels of the resized picture. Source:
github.com/bytedance/UI-TARS (its prompts and ``action_parser``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.calls import MAX_CALL_CHARACTERS, unescaped
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import (
    BOX_TAG,
    BOX_TOKENS,
    BOX_TOKENS_CORNERS,
    POINT_TAG,
    ROUND,
    SQUARE,
    spelled,
)
from rewards.gui.dialects.source import Source
from rewards.gui.dialects.syntax import called, show_call, spelled_out

_LABEL = re.compile(r"^[ \t]*Action[ \t]*:", re.MULTILINE)
_BEFORE = re.compile(r"(?:Thought|Reflection|Action_Summary)[ \t]*:")
_TEXT = re.compile(r"(type|finished)\(content='(.*)'\)", re.DOTALL)
_END = re.compile(r"'\s*\)")
_SOURCE = "https://github.com/bytedance/UI-TARS"


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    source = source.labelled(_LABEL, _BEFORE, None)
    try:
        return called(source)
    except AnswerError:
        content = _unquoted(source.text)
        if content is None:
            raise
        return content


def _unquoted(text: str) -> tuple[str, Mapping[str, Any]] | None:
    """``type(content='it's')``: the model does not always escape an apostrophe in its text.

    What looks like the end of the call within the text stays unreadable: it may be two actions.
    """
    match = _TEXT.fullmatch(text) if len(text) <= MAX_CALL_CHARACTERS else None
    if match is None or _END.search(match[2]):
        return None
    return match[1], {"content": unescaped(match[2])}


def _place(value: Any) -> list[float]:
    if not isinstance(value, str):
        raise AnswerError("expected a point in quotes")
    return spelled(value, ROUND, POINT_TAG, BOX_TOKENS, BOX_TOKENS_CORNERS, SQUARE, BOX_TAG)


def _round(place: list[float]) -> str:
    return f"({spelled_out(place)})"


def _tagged(place: list[float]) -> str:
    tag = "point" if len(place) == 2 else "bbox"
    return f"<{tag}>{spelled_out(place, ' ')}</{tag}>"


def _forms(point: str, start: str, end: str) -> list[Form]:
    """The actions, by the names that a version prefers for points; it also reads the others."""
    points = (point, *({"start_box", "point"} - {point}))
    ends = ((start, end), *({("start_box", "end_box"), ("start_point", "end_point")}
                            - {(start, end)}))  # fmt: skip
    clicks = {
        "click": "click",
        "left_single": "click",
        "left_double": "double_click",
        "right_single": "right_click",
        "long_press": "long_press",
        "hover": "hover",
    }
    return [
        *(
            Form(name, action, {key: "point"}, frozenset({"time"} if name == "long_press" else ()))
            for name, action in clicks.items()
            for key in points
        ),
        *(Form("drag", "drag", {first: "start", last: "end"}) for first, last in ends),
        Form("hotkey", "hotkey", {"key": "keys"}),
        Form("press", "hotkey", {"key": "keys"}),
        Form("type", "type", {"content": "text"}),
        Form("scroll", "scroll", {"direction": "direction"}, frozenset(points)),
        Form("open_app", "open_app", {"app_name": "app"}),
        Form("press_home", "home"),
        Form("press_back", "back"),
        Form("wait", "wait", {}, frozenset({"time"})),
        Form("finished", "status", {}, frozenset({"content"}), says={"status": "success"}),
    ]


_FIRST = Grammar(
    forms=_forms("start_box", "start_box", "end_box"),
    parse=_parse,
    shown=re.compile(r"\)\s*(?:\Z|```)"),
    show=lambda name, given: f"Action: {show_call(name, given)}",
    place=_place,
    spell=_round,
    keys=" ".join,
)
_LATER = Grammar(
    forms=_forms("point", "start_point", "end_point"),
    parse=_parse,
    shown=re.compile(r"\)\s*(?:\Z|```)"),
    show=lambda name, given: f"Action: {show_call(name, given)}",
    place=_place,
    spell=_tagged,
    keys=" ".join,
)
DIALECTS = (
    _FIRST.dialect("ui_tars", "norm1000", "UI-TARS 1.0", _SOURCE),
    replace(  # both read what either writes
        _LATER.dialect(
            "ui_tars_1_5", "pixel", "UI-TARS 1.5: pixels of the resized picture", _SOURCE
        ),
        read=_FIRST.read,
    ),
)
