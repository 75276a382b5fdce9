"""Lists of one action of GUI-R1, UI-R1 and InfiGUI."""

from __future__ import annotations

from typing import Any

from rewards_gui_cases import (
    CHROME,
    COPY,
    DOWN,
    SUCCESS,
    TYPE,
    Row,
    check,
    each,
    target,
)  # fmt: skip


def listed(action: str, point: str = "[-100, -100]", text: str = "no input text") -> str:
    return f"[{{'action': '{action}', 'point': {point}, 'input_text': '{text}'}}]"


ROWS: list[Row] = [
    (
        "a click carries a text that is none",
        target("pixel"),
        [
            listed("click", "[150, 150]"),
            listed("click", "[150, 150]", "whatever"),
            "[{'action': 'click', 'coordinate': [150, 150]}]",
            '[{"action": "click", "point": [150, 150], "input_text": "no input text"}]',
        ],
        [
            listed("click", "[250, 150]"),
            listed("long_press", "[150, 150]"),
            listed("click", "[1150, 150]"),
            listed("click", "[-100, -100]"),
            listed("click", "[0.15, 0.15]"),
            listed("click", "[float('nan'), 150]"),
            listed("click", "[True, 150]"),
            listed("click", "['150', '150']"),
            listed("click", "[150]"),
            "[{'action': 'click', 'point': [150, 150]}, {'action': 'wait', 'point': [0, 0]}]",
            listed("click", "[150, 150]") + " or " + listed("wait"),
            "[{'action': 'click', 'point': [150, 150], 'coordinate': [150, 150]}]",
            "[{'action': 'click', 'point': __import__('os').getcwd()}]",
            "[{'action': 'click', 'input_text': 'no input text'}]",
            "[]",
        ],
    ),
    ("long presses", target("pixel", "long_press"), [listed("long_press", "[150, 150]")], []),
    ("other buttons", target("pixel", "right_click"), [listed("rightclick", "[150, 150]")],
     [listed("click", "[150, 150]")]),
    ("typing", TYPE, [listed("type", text="Hello World"), listed("input_text", text="Hello World")],
     [listed("type"), listed("type", text="Hello"), "[{'action': 'type', 'point': [1, 1]}]"]),
    ("selecting", {"action": "select", "option": "Red"}, [listed("select", text="red")],
     [listed("select", text="blue")]),
    ("scrolling", DOWN, [listed("scroll", text="down")],
     [listed("scroll", text="up"), listed("scroll")]),
    ("apps", CHROME, [listed("open_app", text="Google Chrome")], [listed("open_app")]),
    ("keys", COPY, [listed("hotkey", text="ctrl+c")], [listed("hotkey", text="ctrl+v")]),
    ("back", {"action": "back"}, [listed("press_back"), "[{'action': 'navigate_back'}]"],
     [listed("press_home")]),
    ("enter", {"action": "enter"}, [listed("enter"), listed("press_enter")], []),
    ("done", SUCCESS, [listed("complete"), listed("finished")], [listed("wait")]),
]  # fmt: skip


@each("gui_r1", ROWS)
def test_case(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)
