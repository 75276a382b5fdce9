"""Tool calls of Qwen on desktops and phones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rewards_gui_cases import (
    CHROME,
    COPY,
    DOWN,
    FAILURE,
    SUCCESS,
    TYPE,
    Row,
    check,
    drag,
    each,
    target,
)  # fmt: skip


def call(tool: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{tool}", "arguments": {arguments}}}\n</tool_call>'


def computer(arguments: str) -> str:
    return call("computer_use", arguments)


def mobile(arguments: str) -> str:
    return call("mobile_use", arguments)


CLICK = '{"action": "left_click", "coordinate": [150, 150]}'
TAP = '{"action": "click", "coordinate": [150, 150]}'


def rows(space: str) -> list[Row]:
    return [
        (
            "with and without the envelope",
            target(space),
            [
                computer(CLICK),
                mobile(TAP),
                CLICK,
                TAP,
                f'{{"name": "computer_use", "arguments": {CLICK}}}',
                f"Thought: the gear.\nAction: Click the gear.\n{mobile(TAP)}",
                f"<thinking>The gear.</thinking>\n{mobile(TAP)}\n<conclusion>Clicked.</conclusion>",
                f"```json\n{TAP}\n```",
                f'{{"name": "mobile_use", "arguments": {json.dumps(TAP)}}}',
            ],
            [
                computer('{"action": "left_click", "coordinate": [250, 150]}'),
                computer('{"action": "right_click", "coordinate": [150, 150]}'),
                computer('{"action": "left_click", "coordinate": [1150, 150]}'),
                computer('{"action": "left_click", "coordinate": [0.15, 0.15]}'),
                computer('{"action": "left_click", "coordinate": [NaN, 150]}'),
                computer('{"action": "left_click", "coordinate": [1e999, 150]}'),
                computer('{"action": "left_click", "coordinate": [true, 150]}'),
                computer('{"action": "left_click", "coordinate": ["150", "150"]}'),
                computer('{"action": "left_click", "coordinate": [150, 150], "element_info": "x"}'),
                computer('{"action": "left_click"}'),
                computer(TAP),
                mobile(CLICK),
                call("browser_use", TAP),
                computer(CLICK) + computer(CLICK),
                f"{mobile(TAP)}\nor perhaps wait",
                f'{{"action": "wait"}}\n{mobile(TAP)}',
                f"<tool_call>{TAP}",
                f"{TAP}</tool_call>",
                f"[{computer(CLICK)}]",
                '<tool_call>{"name": "mobile_use", "arguments": ' + TAP + ', "x": 1}</tool_call>',
                f"I would {TAP}",
            ],
        ),
        ("clicks of other buttons", target(space, "middle_click"),
         [computer('{"action": "middle_click", "coordinate": [150, 150]}')], [computer(CLICK)]),
        ("triple clicks", target(space, "triple_click"),
         [computer('{"action": "triple_click", "coordinate": [150, 150]}')], [computer(CLICK)]),
        ("moving the mouse", target(space, "hover"),
         [computer('{"action": "mouse_move", "coordinate": [150, 150]}')], [computer(CLICK)]),
        ("long presses carry seconds", target(space, "long_press"),
         [mobile('{"action": "long_press", "coordinate": [150, 150], "time": 2}')], [mobile(TAP)]),
        ("dragging needs a start", drag(space),
         [computer('{"action": "left_click_drag", "start_coordinate": [150, 150], '
                   '"coordinate": [650, 650]}')],
         [computer('{"action": "left_click_drag", "coordinate": [650, 650]}'),
          mobile('{"action": "swipe", "coordinate": [150, 150], "coordinate2": [650, 650]}')]),
        ("swiping from point to point", {**target(space), "action": "swipe", "direction": "up"},
         [mobile('{"action": "swipe", "coordinate": [500, 700], "coordinate2": [510, 300]}')],
         [mobile('{"action": "swipe", "coordinate": [500, 300], "coordinate2": [500, 700]}'),
          mobile('{"action": "swipe", "coordinate": [500, 500], "coordinate2": [500, 500]}'),
          mobile('{"action": "swipe", "coordinate": [500, 500], "coordinate2": [400, 400]}'),
          mobile('{"action": "swipe", "coordinate": [500, 7000], "coordinate2": [500, 300]}'),
          mobile('{"action": "swipe", "coordinate": [500, 700]}')]),
        ("a wheel that turns down", DOWN,
         [computer('{"action": "scroll", "pixels": -120}'),
          computer('{"action": "scroll", "coordinate": [5, 5], "pixels": -120}')],
         [computer('{"action": "scroll", "pixels": 120}'),
          computer('{"action": "scroll", "pixels": 0}'),
          computer('{"action": "scroll", "pixels": true}')]),
        ("keys", COPY, [computer('{"action": "key", "keys": ["ctrl", "c"]}')],
         [computer('{"action": "key", "keys": ["ctrl", "v"]}'),
          computer('{"action": "key", "keys": [1]}')]),
        ("typing", TYPE, [mobile('{"action": "type", "text": "Hello World"}')],
         [mobile('{"action": "type", "text": "hello world"}'), mobile('{"action": "type"}')]),
        ("buttons", {"action": "back"}, [mobile('{"action": "system_button", "button": "Back"}')],
         [mobile('{"action": "system_button", "button": "Home"}'),
          mobile('{"action": "system_button", "button": "Power"}')]),
        ("the menu button shows recent apps", {"action": "recent"},
         [mobile('{"action": "system_button", "button": "Menu"}')], []),
        ("apps", CHROME, [mobile('{"action": "open", "text": "Google Chrome"}')],
         [mobile('{"action": "open", "text": "Chrome"}')]),
        ("waiting", {"action": "wait"}, [mobile('{"action": "wait", "time": 2}')], [mobile(TAP)]),
        ("done", SUCCESS, [mobile('{"action": "terminate", "status": "success"}')],
         [mobile('{"action": "terminate", "status": "failure"}')]),
        ("failed", FAILURE, [computer('{"action": "terminate", "status": "failure"}')], []),
    ]  # fmt: skip


@each("qwen3_vl", rows("norm1000"))
def test_thousandths(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@each("qwen2_5_vl", rows("pixel"))
def test_pixels(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize("answer", [computer(CLICK), TAP])
def test_the_first_one_counts_as_the_third(answer: str) -> None:
    check("qwen2_vl", target("norm1000"), answer, True)
