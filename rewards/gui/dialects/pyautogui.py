"""Calls of pyautogui as Aguvis, OpenCUA and other desktop agents write them; never run.

Aguvis counts from 0 to 1 (``aguvis``), agents of OSWorld in pixels (``pyautogui``). A positive
amount scrolls up (or right), as in PyAutoGUI's own documentation. Sources: the plugin functions
of github.com/xlang-ai/aguvis, pyautogui.readthedocs.io, github.com/xlang-ai/OSWorld.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.calls import read_call
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import listed
from rewards.gui.dialects.source import NotThisDialectError, Source, check_thought
from rewards.gui.dialects.syntax import shortened, show_call
from rewards.text.literals import unfenced

_BEFORE = re.compile(r"(?:Observation|Thought|Action|Low-level)[^\n:]{0,40}:")
_IMPORT = re.compile(r"import (?:pyautogui|time)[ \t]*(?:;|\n)\s*")
_NAME = re.compile(r"(?:pyautogui|mobile|browser|computer)\.\w|(?:answer|terminate)\(")
_XY = {"x": "x", "y": "y"}
_POINTS = {
    "pyautogui.doubleClick": "double_click",
    "pyautogui.tripleClick": "triple_click",
    "computer.tripleClick": "triple_click",
    "pyautogui.rightClick": "right_click",
    "pyautogui.middleClick": "middle_click",
    "pyautogui.moveTo": "hover",
    "mobile.long_press": "long_press",
}
_EXTRAS = frozenset({"duration", "interval"})
_BUTTONS = (("left", "click"), ("right", "right_click"), ("middle", "middle_click"))
_CLICKS = ((1, "click"), (2, "double_click"), (3, "triple_click"))
_FROM_TO = {"from_coord": "start", "to_coord": "end"}
_KEYWORDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["pyautogui.click", *_POINTS], ("x", "y")),
    **dict.fromkeys(["pyautogui.write", "pyautogui.typewrite"], ("message", "interval")),
    "pyautogui.press": ("keys",),
    "pyautogui.scroll": ("clicks", "x", "y"),
    "pyautogui.hscroll": ("clicks", "x", "y"),
    "mobile.open_app": ("app_name",),
    "mobile.wait": ("seconds",),
    "answer": ("text",),
    **dict.fromkeys(["terminate", "mobile.terminate", "computer.terminate"], ("status",)),
}
"""The names of arguments that are given without one, in order."""


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    code = _code(source.text)
    if code in ("WAIT", "DONE", "FAIL"):
        return code, {}
    if not code.endswith(")") or not _NAME.match(code):
        raise NotThisDialectError("not a plain call")
    call = read_call(code)
    if call.name == "pyautogui.hotkey" and call.positional:
        if call.keywords:
            raise AnswerError("keys with and without a name")
        return call.name, {"keys": list(call.positional)}
    names = _KEYWORDS.get(call.name, ())
    if len(call.positional) > len(names):
        raise NotThisDialectError(f"{call.name}: arguments without a name")
    given = dict(zip(names, call.positional, strict=False))
    if given.keys() & call.keywords.keys():
        raise AnswerError("an argument that appears twice")
    return call.name, given | dict(call.keywords)


def _code(text: str) -> str:
    """The code alone: inside the one fence after the model's thoughts, or on the last line."""
    if _BEFORE.match(text):
        ahead, fence, rest = text.partition("```")
        if not fence:
            ahead, _, text = text.rpartition("\n")
            text = text.strip()
        elif rest.count("```") == 1 and rest.rstrip().endswith("```"):
            text = unfenced(fence + rest)
        else:
            raise AnswerError("expected one block of code, at the end")
        check_thought(ahead)
    for _ in range(2):
        text = _IMPORT.sub("", text, count=1) if text.startswith("import ") else text
    return text.strip()


_GRAMMAR = Grammar(
    forms=[
        Form("pyautogui.click", "click", _XY, _EXTRAS),
        *(Form("pyautogui.click", a, _XY, _EXTRAS, fixed={"button": b}) for b, a in _BUTTONS),
        *(
            Form("pyautogui.click", a, _XY, _EXTRAS | {"button"}, fixed={"clicks": n})
            for n, a in _CLICKS
        ),
        *(Form(name, action, _XY, _EXTRAS) for name, action in _POINTS.items()),
        Form("pyautogui.dragTo", "drag", _FROM_TO, _EXTRAS | {"button"}),
        *(
            Form(f"pyautogui.{name}", "type", {"message": "text"}, _EXTRAS)
            for name in ("write", "typewrite")
        ),
        Form("pyautogui.hotkey", "hotkey", {"keys": "keys"}, _EXTRAS),
        Form("pyautogui.press", "hotkey", {"keys": "keys"}, _EXTRAS),
        *(
            Form(f"pyautogui.{name}", "scroll", {amount: kind}, frozenset({"x", "y"}))
            for name, kind in (("scroll", "wheel"), ("hscroll", "side_wheel"))
            for amount in ("clicks", "page")
        ),
        Form("mobile.swipe", "swipe", _FROM_TO),
        Form("mobile.home", "home"),
        Form("mobile.back", "back"),
        Form("mobile.recent", "recent"),
        Form("mobile.enter", "enter"),
        Form("mobile.open_app", "open_app", {"app_name": "app"}),
        Form("browser.select_option", "select", {"value": "option"}, frozenset({"x", "y"})),
        *(
            Form(name, "wait", {}, frozenset({"seconds"}))
            for name in ("mobile.wait", "computer.wait", "WAIT")
        ),
        *(
            Form(name, "status", {"status": "status"})
            for name in ("terminate", "mobile.terminate", "computer.terminate")
        ),
        Form("DONE", "status", says={"status": "success"}),
        Form("FAIL", "status", says={"status": "failure"}),
        Form("answer", "answer", {"text": "text"}),
    ],
    parse=_parse,
    shown=re.compile(r"\(|WAIT|DONE|FAIL"),
    show=show_call,
    place=listed,
    spell=shortened,
)
DIALECTS = (
    _GRAMMAR.dialect("aguvis", "norm1", "Aguvis, OpenCUA", "https://github.com/xlang-ai/aguvis"),
    _GRAMMAR.dialect(
        "pyautogui", "pixel", "agents of OSWorld: pixels of the screenshot",
        "https://pyautogui.readthedocs.io",
    ),
)  # fmt: skip
