"""WebVoyager's actions on numbered elements."""

from __future__ import annotations

from typing import Any

import pytest
from rewards_gui_cases import DOWN, TYPE, Row, check, each, judge, target

from rewards import Outcome

MARK = {"action": "click", "mark": 3}
ROWS: list[Row] = [
    (
        "the number of the element",
        MARK,
        ["Click [3]", "Click 3", "Click [3].", "Thought: the gear.\nAction: Click [3]",
         "Thought: x\nAction: Click [3]\nMemory_Updated: {}"],
        ["Click [13]", "Click [4]", "Click", "Click [3] or Click [4]", "Click [3]\nClick [3]",
         "Click [true]", "Click [3.0]", "Click [nan]", "Click [3]; [x]", "Type [3]; [x]", "(3, 3)",
         "Action: Wait\nAction: Click [3]", "I would Click [3]"],
    ),
    ("typing", TYPE, ["Type [4]; [Hello World]", "Action: Type [4]; [Hello World]"],
     ["Type [4]; [Hello]", "Type [4]", "Type [Hello World]"]),
    ("scrolling", DOWN, ["Scroll [WINDOW]; [down]", "Scroll [6]; [down]"],
     ["Scroll [WINDOW]; [up]", "Scroll [WINDOW]", "Scroll down"]),
    ("keys", {"action": "hotkey", "keys": "enter"}, ["Key; [Return]"], ["Key; [Escape]"]),
    ("back", {"action": "back"}, ["GoBack", "GoBack."], ["Wait"]),
    ("waiting", {"action": "wait"}, ["Wait"], ["GoBack"]),
    ("answers", {"action": "answer", "text": "Guatemala"},
     ["ANSWER; [Guatemala]", "ANSWER; <content>Guatemala</content>"], ["ANSWER; [Peru]", "ANSWER"]),
]  # fmt: skip


@each("webvoyager", ROWS)
def test_case(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize("mark", [3, "3", "A"])
def test_our_own_form_names_marks_too(mark: Any) -> None:
    written = f'"{mark}"' if isinstance(mark, str) else mark
    check("plain", {**MARK, "mark": mark}, f'{{"action": "click", "mark": {written}}}', True)


def test_marks_and_places_do_not_mix() -> None:
    assert judge("webvoyager", target("norm999"), "Click [3]") is Outcome.BAD_REFERENCE
    assert judge("qwen3_vl", MARK, "Click [3]") is Outcome.BAD_REFERENCE
    assert judge("auto", target("norm999"), "Click [3]") is Outcome.UNPARSEABLE
    assert judge("auto", MARK, "(3, 3)") is Outcome.UNPARSEABLE
