"""Objects of GLM on phones, calls of GLM on desktops and the web."""

from __future__ import annotations

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
    judge,
    target,
)  # fmt: skip

from rewards import Outcome

CLICK = target("norm999")
TAP = '{"action_type": "click", "box_2d": [[100,100,200,200]]}'
MOBILE: list[Row] = [
    (
        "a box of the target's size counts by its centre",
        CLICK,
        [
            '{"action_type": "click", "box_2d": [[100, 100, 200, 200]]}',
            "{'action_type': 'click', 'box_2d': [[110, 105, 190, 200]]}",
            f"Memory: None\nReason: The gear.\nAction: {TAP}",
            f"Action: <|begin_of_box|>{TAP}<|end_of_box|>",
            '```json\n{"action_type": "click", "box_2d": [[100, 100, 200, 200]]}\n```',
        ],
        [
            '{"action_type": "click", "box_2d": [[300, 300, 400, 400]]}',
            '{"action_type": "click", "box_2d": [[0, 0, 999, 999]]}',
            '{"action_type": "click", "box_2d": [[149, 149, 151, 151]]}',
            '{"action_type": "long_press", "box_2d": [[100, 100, 200, 200]]}',
            '{"action_type": "click", "box_2d": [[200, 200, 100, 100]]}',
            '{"action_type": "click", "box_2d": [100, 100, 200, 200]}',
            '{"action_type": "click", "box_2d": [[100, 100, 200, 1200]]}',
            '{"action_type": "click", "box_2d": [[0.1, 0.1, 0.2, 0.2]]}',
            '{"action_type": "click", "box_2d": [[NaN, 100, 200, 200]]}',
            '{"action_type": "click", "box_2d": [[1e999, 100, 200, 200]]}',
            '{"action_type": "click", "box_2d": [[true, 100, 200, 200]]}',
            '{"action_type": "click", "box_2d": [["100", "100", "200", "200"]]}',
            '{"action_type": "click"}',
            '{"action_type": "click", "box_2d": [[100,100,200,200]], "element_info": "gear"}',
            '[{"action_type": "click", "box_2d": [[100,100,200,200]]}, {"action_type": "wait"}]',
            f'Action: {{"action_type": "wait"}}\nAction: {TAP}',
            '{"action_type": "click", "box_2d": [[100,100,200,200]]} or {"action_type": "wait"}',
            'I would click {"action_type": "click", "box_2d": [[100,100,200,200]]}',
        ],
    ),
    (
        "typing carries the field and whether it is cleared",
        TYPE,
        [
            '{"action_type": "input_text", "text": "Hello World", '
            '"box_2d": [[1,1,9,9]], "override": true}',
            '{"action_type": "input_text", "text": "Hello World"}',
        ],
        [
            '{"action_type": "input_text", "text": "Hello", "box_2d": [[1,1,9,9]]}',
            '{"action_type": "input_text", "text": 5}',
            '{"action_type": "input_text"}',
        ],
    ),
    (
        "swipes, apps, buttons, statuses",
        {"action": "swipe", "direction": "up"},
        ['{"action_type": "swipe", "direction": "up", "box_2d": [[1, 1, 9, 9]]}',
         '{"action_type": "swipe", "direction": "up"}'],
        ['{"action_type": "swipe", "direction": "down"}', '{"action_type": "swipe"}',
         '{"action_type": "scroll", "direction": "up"}'],
    ),
    ("apps", CHROME, ['{"action_type": "open_app", "app_name": "google chrome"}'],
     ['{"action_type": "open_app", "app_name": "Google"}', '{"action_type": "open_app"}']),
    ("enter", {"action": "enter"}, ['{"action_type": "keyboard_enter"}'],
     ['{"action_type": "navigate_back"}']),
    ("back", {"action": "back"}, ['{"action_type": "navigate_back"}'],
     ['{"action_type": "navigate_home"}']),
    ("home", {"action": "home"}, ['{"action_type": "navigate_home"}'], ['{"action_type": "wait"}']),
    ("done", SUCCESS, ['{"action_type": "status", "goal_status": "complete"}'],
     ['{"action_type": "status", "goal_status": "infeasible"}', '{"action_type": "status"}']),
    ("answers", {"action": "answer", "text": "42"}, ['{"action_type": "answer", "text": "42"}'],
     ['{"action_type": "answer", "text": "41"}']),
]  # fmt: skip
COMPUTER: list[Row] = [
    (
        "a point in quotes, with the element's text",
        CLICK,
        [
            "left_click(start_box='[150,150]', element_info='Gear')",
            "left_click(start_box='[150, 150]')",
            "left_click(start_box=[150, 150])",
            "I click.\nAction: left_click(start_box='[150,150]', element_info='Gear')\nMemory:\n[]",
            "Action: <|begin_of_box|>left_click(start_box='[150,150]')<|end_of_box|>",
        ],
        [
            "left_click(start_box='[250,150]')",
            "right_click(start_box='[150,150]')",
            "left_click(start_box='[1150,150]')",
            "left_click(start_box='[0.15,0.15]')",
            "left_click(start_box='[nan,150]')",
            "left_click(start_box='[150]')",
            "left_click(start_box='[150,150,150]')",
            "left_click(start_box=[True, 150])",
            "left_click(start_box='[150,150]', color='red')",
            "left_click(start_box='[150,150]')\nleft_click(start_box='[150,150]')",
            "left_click(start_box='[150,150]') or WAIT()",
            "left_click(start_box=__import__('os').getcwd())",
            "WAIT()\nAction: left_click(start_box='[150,150]')",
            "left_click()",
        ],
    ),
    ("double clicks", target("norm999", "double_click"),
     ["left_double_click(start_box='[150,150]')"],
     ["left_click(start_box='[150,150]')"]),
    ("the middle button", target("norm999", "middle_click"),
     ["middle_click(start_box='[150,150]')"],
     ["left_click(start_box='[150,150]')"]),
    ("hovering", target("norm999", "hover"), ["hover(start_box='[150,150]', element_info='x')"],
     ["hover(start_box='[15,150]')"]),
    ("dragging", drag("norm999"),
     ["left_drag(start_box='[150,150]', end_box='[650,650]', element_info='Card')"],
     ["left_drag(start_box='[650,650]', end_box='[150,150]')", "left_drag(start_box='[150,150]')"]),
    ("keys", COPY, ["key(keys='ctrl+c')"], ["key(keys='ctrl+v')", "key(keys=5)", "key()"]),
    ("typing", TYPE, ["type(content='Hello World')"], ["type(content='Hello')", "type()"]),
    ("scrolling", DOWN,
     ["scroll(start_box='[500,500]', direction='down', step=5, element_info='')"],
     ["scroll(start_box='[500,500]', direction='up', step=5)", "scroll(start_box='[500,500]')"]),
    ("waiting", {"action": "wait"}, ["WAIT()"], ["DONE()"]),
    ("done", SUCCESS, ["DONE()"], ["FAIL()"]),
    ("failed", FAILURE, ["FAIL()"], ["DONE()"]),
]  # fmt: skip
WEB: list[Row] = [
    (
        "a point, its element's box, or both",
        CLICK,
        [
            "CLICK(point=(150, 150), element_info='Dinners')",
            "CLICK(point=(150, 150), box=[[100,100,200,200]], element_info='Dinners')",
            "CLICK(box=[[100,100,200,200]], element_info='Dinners')",
        ],
        [
            "CLICK(point=(250, 150), element_info='Dinners')",
            "CLICK(point=(250, 150), box=[[100,100,200,200]], element_info='Dinners')",
            "CLICK(point=(150, 150), box=[[300,300,400,400]], element_info='Dinners')",
            "CLICK(point=(150, 150), box=[[0,0,1]])",
            "HOVER(point=(150, 150))",
            "CLICK(point=(1150, 150))",
            "CLICK(point=(150, 1e999))",
            "CLICK(point=(True, 150))",
            "CLICK(point=(150, 150)), WAIT()",
            "CLICK(element_info='Dinners')",
        ],
    ),
    ("typing into an element", TYPE,
     ["TYPE(point=(1, 1), text='Hello World', box=[[0,0,9,9]], element_info='Search')"],
     ["TYPE(point=(1, 1), text='Hello', element_info='Search')", "TYPE(point=(1, 1))"]),
    ("a direction in the name", DOWN,
     ["SCROLL_DOWN(point=(5, 5), distance=0.5, element_info='List')",
      "SCROLL_DOWN(box=[[0,0,9,9]], step_count=5)"],
     ["SCROLL_UP(point=(5, 5), distance=0.5)", "SCROLL_DOWN(direction='down')"]),
    ("keys", {"action": "hotkey", "keys": "enter"}, ["KEY_PRESS(key='Return')"],
     ["KEY_PRESS(key='Escape')"]),
    ("answers", {"action": "answer", "text": "Rome"}, ["ANSWER(content='Rome')"],
     ["ANSWER(content='Paris')"]),
    ("back", {"action": "back"}, ["GO_BACK()"], ["WAIT()"]),
]  # fmt: skip


@each("glm_mobile", MOBILE)
def test_mobile(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@each("glm_computer", COMPUTER)
def test_computer(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@each("glm_web", WEB)
def test_web(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("glm_mobile", f'{TAP[:-1]}, "thought": "x"}}'),
        ("glm_computer", "left_click(start_box='[150,150]', box=[[100,100,200,200]])"),
        ("glm_web", "CLICK(point=(150, 150), step=1)"),
        ("glm_web", "CLICK(150, 150)"),
    ],
)
def test_no_argument_of_another_dialect(dialect: str, answer: str) -> None:
    assert judge(dialect, CLICK, answer) is Outcome.UNPARSEABLE
