"""AndroidControl's own objects."""

from __future__ import annotations

from typing import Any

import pytest
from rewards_gui_cases import (
    CHROME,
    DOWN,
    FAILURE,
    SUCCESS,
    TYPE,
    Row,
    check,
    each,
    judge,
    target,
)  # fmt: skip

from rewards import Outcome

ROWS: list[Row] = [
    (
        "x and y in pixels",
        target("pixel"),
        [
            '{"action_type": "click", "x": 150, "y": 150}',
            "{'action_type': 'click', 'x': 150, 'y': 150}",
        ],
        [
            '{"action_type": "click", "x": 250, "y": 150}',
            '{"action_type": "long_press", "x": 150, "y": 150}',
            '{"action_type": "click", "x": 1150, "y": 150}',
            '{"action_type": "click", "x": 0.15, "y": 0.15}',
            '{"action_type": "click", "x": NaN, "y": 150}',
            '{"action_type": "click", "x": true, "y": 150}',
            '{"action_type": "click", "x": "150", "y": "150"}',
            '{"action_type": "click", "x": 150}',
            '{"action_type": "click", "x": 150, "y": 150} {"action_type": "wait"}',
            '[{"action_type": "click", "x": 150, "y": 150}, {"action_type": "wait"}]',
            'Either {"action_type": "click", "x": 150, "y": 150} or nothing',
        ],
    ),
    ("long presses", target("pixel", "long_press"),
     ['{"action_type": "long_press", "x": 150, "y": 150}'],
     ['{"action_type": "click", "x": 150, "y": 150}']),
    ("typing", TYPE, ['{"action_type": "input_text", "text": "Hello World"}'],
     ['{"action_type": "input_text", "text": "Hello"}']),
    ("scrolling", DOWN, ['{"action_type": "scroll", "direction": "down"}'],
     ['{"action_type": "scroll", "direction": "up"}',
      '{"action_type": "swipe", "direction": "down"}']),
    ("apps", CHROME, ['{"action_type": "open_app", "app_name": "Google Chrome"}'],
     ['{"action_type": "open_app", "app_name": "Chrome"}']),
    ("back", {"action": "back"}, ['{"action_type": "navigate_back"}'],
     ['{"action_type": "navigate_home"}']),
    ("waiting", {"action": "wait"}, ['{"action_type": "wait"}'], []),
    ("done", SUCCESS, ['{"action_type": "status", "goal_status": "complete"}'], []),
    ("failed", FAILURE, ['{"action_type": "status", "goal_status": "infeasible"}'], []),
]  # fmt: skip


@each("android_control", ROWS)
def test_case(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize("extra", ['"thought": "x"', '"box_2d": [[100, 100, 200, 200]]'])
def test_no_argument_of_another_dialect(extra: str) -> None:
    answer = f'{{"action_type": "click", "x": 150, "y": 150, {extra}}}'
    assert judge("android_control", target("pixel"), answer) is Outcome.UNPARSEABLE
