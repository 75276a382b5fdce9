"""Lists of one action of GUI-R1, UI-R1 and InfiGUI, in pixels of the picture as the model sees it.

``[{'action': 'click', 'point': [x, y], 'input_text': 'no input text'}]``. Source: the prompts and
the reward of github.com/ritzz-ai/GUI-R1 and github.com/lll6gg/UI-R1.
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

_NO_TEXT = "no input text"
_NOWHERE = [-100, -100]
_PLACES = frozenset({"point", "coordinate"})
_POINTS = {
    "click": "click",
    "long_press": "long_press",
    "doubleclick": "double_click",
    "rightclick": "right_click",
    "moveto": "hover",
}
_TEXTS = (
    ("type", "type", "text"),
    ("input_text", "type", "text"),
    ("select", "select", "option"),
    ("open_app", "open_app", "app"),
    ("scroll", "scroll", "direction"),
    ("hotkey", "hotkey", "keys"),
)
_NAMES = {
    "press_back": "back",
    "navigate_back": "back",
    "press_home": "home",
    "press_enter": "enter",
    "enter": "enter",
    "wait": "wait",
}


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    value = literal(source)
    if not isinstance(value, list):
        raise NotThisDialectError("no list of one action")
    if len(value) != 1:
        raise AnswerError(f"expected one action, found {len(value)}")
    return named_object(value[0], "action")


def _show(name: str, given: Mapping[str, Any]) -> str:
    return json.dumps([{"action": name, **given}], ensure_ascii=False)


_GRAMMAR = Grammar(
    forms=[
        *(
            Form(name, action, {key: "point"}, frozenset({"input_text"}),
                 defaults={"input_text": _NO_TEXT} if key == "point" else {})
            for name, action in _POINTS.items()
            for key in ("point", "coordinate")
        ),
        *(
            Form(name, action, {"input_text": kind}, _PLACES, defaults={"point": _NOWHERE})
            for name, action, kind in _TEXTS
        ),
        *(
            Form(name, action, {}, _PLACES | {"input_text"},
                 defaults={"point": _NOWHERE, "input_text": _NO_TEXT})
            for name, action in _NAMES.items()
        ),
        *(
            Form(name, "status", {}, _PLACES | {"input_text"}, says={"status": "success"},
                 defaults={"point": _NOWHERE, "input_text": _NO_TEXT})
            for name in ("complete", "finished")
        ),
    ],
    parse=_parse,
    shown=re.compile(r"\[\s*\{"),
    show=_show,
    place=listed,
    spell=shortened,
    keys="+".join,
)  # fmt: skip
DIALECTS = (
    _GRAMMAR.dialect(
        "gui_r1", "pixel", "GUI-R1, UI-R1, InfiGUI-R1: pixels of the resized picture",
        "https://github.com/ritzz-ai/GUI-R1",
    ),
)  # fmt: skip
