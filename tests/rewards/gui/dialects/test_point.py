"""A point alone, where the reference asks for a click."""

from __future__ import annotations

from typing import Any

import pytest
from rewards_gui_cases import Row, check, each, judge, target

from rewards import Outcome

ROWS: list[Row] = [
    (
        "every spelling of a point, and a box by its centre",
        target("norm1000"),
        [
            "(150, 150)",
            "[150, 150]",
            "[[150, 150]]",
            "150, 150",
            "<point>150 150</point>",
            "<point>150, 150</point>",
            "<point>[[150, 150]]</point>",
            "<|box_start|>(150,150)<|box_end|>",
            '{"point_2d": [150, 150], "label": "gear"}',
            '[{"point_2d": [150, 150]}]',
            '```json\n[{"point_2d": [150, 150], "label": "gear"}]\n```',
            "[100, 100, 200, 200]",
            "<|box_start|>(100,100),(200,200)<|box_end|>",
            '{"bbox_2d": [100, 100, 200, 200]}',
        ],
        [
            "(250, 150)",
            "(1150, 150)",
            "(0.15, 0.15)",
            "(nan, 150)",
            "(1e2, 150)",
            "(true, 150)",
            "(150)",
            "(150, 150, 150)",
            "(150, 150) or (500, 500)",
            "(150, 150)\n(150, 150)",
            "[[150, 150], [500, 500]]",
            "The gear is at (150, 150).",
            "[0, 0, 1000, 1000]",
            '{"point_2d": [150, 150], "confidence": 1}',
            '{"point_2d": [150, 150], "bbox_2d": [100, 100, 200, 200]}',
            '[{"point_2d": [150, 150]}, {"point_2d": [500, 500]}]',
            '{"point_2d": ["150", "150"]}',
            "(__import__('os').getpid(), 150)",
        ],
    ),
    ("fractions", target("norm1"), ["(0.15,0.15)"], ["(0.25,0.15)", "(150,150)"]),
]


@each("point", ROWS)
def test_case(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize("action", ["double_click", "long_press", "hover"])
def test_a_point_is_a_click_and_nothing_else(action: str) -> None:
    assert judge("auto", target("norm1000", action), "(150, 150)") is Outcome.UNPARSEABLE
    assert judge("point", target("norm1000", action), "(150, 150)") is Outcome.BAD_REFERENCE
