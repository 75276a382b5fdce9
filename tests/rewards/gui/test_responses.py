"""Whole responses of models, with the settings that their page names."""

from __future__ import annotations

from typing import Any

import pytest
from rewards_gui_cases import target

from rewards import Outcome, Request
from rewards.registry import Registry

WHOLE = {"extraction": {"rule": "answer"}}
TAP = '{"action": "click", "coordinate": [150, 150]}'
TOOL = f'<tool_call>\n{{"name": "mobile_use", "arguments": {TAP}}}\n</tool_call>'
RESPONSES = [
    pytest.param(
        "glm_mobile", {}, "norm999",
        "<think>The gear.</think><answer>Memory: None\nReason: x\nAction: <|begin_of_box|>"
        '{"action_type": "click", "box_2d": [[100,100,200,200]]}<|end_of_box|></answer>',
        id="GLM, with its box",
    ),
    pytest.param(
        "glm_mobile", WHOLE, "norm999",
        "<think>The gear.</think><answer>Memory: None\nReason: x\n"
        'Action: {"action_type": "click", "box_2d": [[100,100,200,200]]}</answer>',
        id="GLM, without one",
    ),
    pytest.param(
        "glm_computer", WHOLE, "norm999",
        "<think>x</think>I click the gear.\nAction: left_click(start_box='[150,150]', "
        "element_info='Gear')\nMemory:\n[]",
        id="GLM on a desktop",
    ),
    pytest.param(
        "ui_tars", WHOLE, "norm1000",
        "Thought: I see the gear.\nAction: click(start_box='(150,150)')",
        id="UI-TARS",
    ),
    pytest.param("qwen3_vl", WHOLE, "norm1000", f"Thought: x\nAction: tap\n{TOOL}", id="Qwen3-VL"),
    pytest.param("qwen3_vl", WHOLE, "norm1000", f"<think>x</think>\n{TOOL}", id="Qwen3-VL thinks"),
    pytest.param(
        "os_atlas", WHOLE, "norm1000",
        "thoughts:\nthe gear\nactions:\nCLICK <point>[[150, 150]]</point>",
        id="OS-Atlas",
    ),
    pytest.param(
        "aguvis", WHOLE, "norm1",
        "Action: Click the gear.\npyautogui.click(x=0.15, y=0.15)",
        id="Aguvis",
    ),
    pytest.param(
        "gui_r1", WHOLE, "pixel",
        "<think>x</think><answer>[{'action': 'click', 'point': [150, 150], "
        "'input_text': 'no input text'}]</answer>",
        id="GUI-R1",
    ),
    pytest.param(
        "point", WHOLE, "norm1", "<think>x</think><answer>(0.15,0.15)</answer>", id="SeeClick"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "settings", "space", "response"), RESPONSES)
def test_a_response_is_read(
    dialect: str, settings: dict[str, Any], space: str, response: str
) -> None:
    for name in (dialect, "auto"):
        registry = Registry(settings={**settings, "gui": {"dialect": name}})
        right = Request(domain="gui", response=response, reference=target(space))
        wrong = Request(domain="gui", response=response, reference=target(space, "hover"))
        assert registry.judge(right).outcome is Outcome.CORRECT
        assert registry.judge(wrong).score == 0.0
