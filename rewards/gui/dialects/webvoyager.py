"""WebVoyager's actions on numbered elements: ``Click [3]``, ``Type [4]; [text]``.

An element is named by the mark that is drawn on the picture, so there are no coordinates; the
reference has ``mark`` instead of a box. Source: the prompts of github.com/MinorJerry/WebVoyager.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import listed
from rewards.gui.dialects.source import NotThisDialectError, Source

_LABEL = re.compile(r"^[ \t]*Action[ \t]*:", re.MULTILINE)
_BEFORE = re.compile(r"Thought[ \t]*:")
_AFTER = re.compile(r"^[ \t]*Memory(?:_Updated)?[ \t]*:", re.MULTILINE)
_CLICK = re.compile(r"(Click) \[?(\d{1,6})\]?\.?")
_TYPE = re.compile(r"(Type) \[?(\d{1,6})\]?[; ]{1,8}\[(.*)\]\.?", re.DOTALL)
_SCROLL = re.compile(r"(Scroll) \[?(\d{1,6}|WINDOW)\]?[; ]{1,8}\[?(up|down)\]?\.?")
_ANSWER = re.compile(r"(ANSWER)[; ]{1,8}(?:\[(.*)\]|<content>(.*)</content>)\.?", re.DOTALL)
_KEY = re.compile(r"(Key)[; ]{1,8}\[([\w+]{1,40})\]\.?")
_NAME = re.compile(r"(Wait|GoBack)\.?")


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    text = source.labelled(_LABEL, _BEFORE, _AFTER).text
    if match := _CLICK.fullmatch(text):
        return match[1], {"mark": match[2]}
    if match := _TYPE.fullmatch(text):
        return match[1], {"mark": match[2], "text": match[3]}
    if match := _SCROLL.fullmatch(text):
        return match[1], {"mark": match[2], "direction": match[3]}
    if match := _ANSWER.fullmatch(text):
        return match[1], {"text": match[2] if match[2] is not None else match[3]}
    if match := _KEY.fullmatch(text):
        return match[1], {"key": match[2]}
    if match := _NAME.fullmatch(text):
        return match[1], {}
    if text.startswith(("Click ", "Type ", "Scroll ", "ANSWER")):
        raise AnswerError("an action on a numbered element that does not parse")
    raise NotThisDialectError("no action on a numbered element")


def _show(name: str, given: Mapping[str, Any]) -> str:
    head = f"{name} [{given['mark']}]" if "mark" in given else name
    rest = [f"[{value}]" for key, value in given.items() if key != "mark"]
    return "; ".join([head, *rest])


_GRAMMAR = Grammar(
    forms=[
        Form("Click", "click", {"mark": "mark"}),
        Form("Type", "type", {"text": "text"}, frozenset({"mark"}), defaults={"mark": 0}),
        *(
            Form("Scroll", "scroll", {}, frozenset({"mark"}), fixed={"direction": direction},
                 says={"direction": direction}, defaults={"mark": "WINDOW"})
            for direction in ("up", "down")
        ),
        Form("Key", "hotkey", {"key": "keys"}),
        Form("GoBack", "back"),
        Form("Wait", "wait"),
        Form("ANSWER", "answer", {"text": "text"}),
    ],
    parse=_parse,
    shown=re.compile("Click |Type |Scroll |ANSWER|Key|GoBack|Wait"),
    show=_show,
    place=listed,
    keys="+".join,
    targets=frozenset({"mark"}),
)  # fmt: skip
DIALECTS = (
    _GRAMMAR.dialect(
        "webvoyager", None, "WebVoyager's numbered elements: the reference has `mark`",
        "https://github.com/MinorJerry/WebVoyager",
    ),
)  # fmt: skip
