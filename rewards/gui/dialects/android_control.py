"""AndroidControl's and AndroidWorld's own objects: ``{"action_type": "click", "x": …, "y": …}``.

Pixels of the screenshot. Source: the data set's page in
github.com/google-research/google-research (``android_control``), and ``json_action`` of
github.com/google-research/android_world.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import listed
from rewards.gui.dialects.source import Source
from rewards.gui.dialects.syntax import literal, named_object, shortened, show_object

_XY = {"x": "x", "y": "y"}
_MAYBE_XY = frozenset(_XY)


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    return named_object(literal(source), "action_type")


_GRAMMAR = Grammar(
    forms=[
        Form("click", "click", _XY),
        Form("long_press", "long_press", _XY),
        Form("double_tap", "double_click", _XY),
        Form("scroll", "scroll", {"direction": "direction"}, _MAYBE_XY),
        Form("swipe", "swipe", {"direction": "direction"}, _MAYBE_XY),
        Form("input_text", "type", {"text": "text"}, _MAYBE_XY),
        Form("open_app", "open_app", {"app_name": "app"}),
        Form("navigate_back", "back"),
        Form("navigate_home", "home"),
        Form("keyboard_enter", "enter"),
        Form("wait", "wait"),
        Form("status", "status", {"goal_status": "status"}),
        Form("answer", "answer", {"text": "text"}),
    ],
    parse=_parse,
    shown=re.compile("action_type"),
    show=show_object("action_type"),
    place=listed,
    spell=shortened,
)
DIALECTS = (
    _GRAMMAR.dialect(
        "android_control", "pixel", "models of AndroidControl, AndroidWorld: pixels",
        "https://github.com/google-research/google-research/tree/master/android_control",
    ),
)  # fmt: skip
