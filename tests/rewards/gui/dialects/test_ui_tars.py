"""UI-TARS: thought and action, two spellings of a point."""

from __future__ import annotations

from typing import Any

import pytest
from rewards_gui_cases import (
    CHROME,
    COPY,
    DOWN,
    SUCCESS,
    TYPE,
    Row,
    check,
    drag,
    each,
    target,
)  # fmt: skip


def rows(space: str) -> list[Row]:
    return [
        (
            "every spelling of a point",
            target(space),
            [
                "click(start_box='(150,150)')",
                "Action: click(start_box='(150,150)')",
                "Thought: I see the gear.\nIt is there.\nAction: click(start_box='(150, 150)')",
                "Thought: x\nAction: click(start_box='<|box_start|>(150,150)<|box_end|>')",
                "Action: click(point='<point>150 150</point>')",
                "click(start_box='<point>150 150</point>')",
                "click(start_box='[150, 150]')",
                "```\nclick(start_box='(150,150)')\n```",
                "click(start_box='(150.5,150)')",
            ],
            [
                "Action: click(start_box='(250,150)')",
                "Action: left_double(start_box='(150,150)')",
                "Action: click(start_box='(1150,150)')",
                "Action: click(start_box='(0.15,0.15)')",
                "Action: click(start_box='(nan,150)')",
                "Action: click(start_box='(1e5,150)')",
                "Action: click(start_box='(150,150,150)')",
                "Action: click(start_box='(150,150)', element_info='Gear')",
                "Action: click(start_box='(150,150)')\nAction: wait()",
                "Action: click(start_box='(150,150)')\n\nclick(start_box='(150,150)')",
                "Action: click(start_box='(150,150)') or wait()",
                "wait()\nAction: click(start_box='(150,150)')",
                "Thought: x\nwait()\nAction: click(start_box='(150,150)')",
                "Perhaps.\nAction: click(start_box='(150,150)')",
                "Thought: I would click(start_box='(150,150)')",
                "Action: click(start_box=True)",
                "Action: click(start_box='__import__(\"os\")')",
                "Action: click()",
                "Action:",
            ],
        ),
        ("double clicks", target(space, "double_click"), ["left_double(start_box='(150,150)')"],
         ["click(start_box='(150,150)')"]),
        ("the right button", target(space, "right_click"),
         ["right_single(point='<point>150 150</point>')"], ["click(start_box='(150,150)')"]),
        ("long presses", target(space, "long_press"),
         ["long_press(start_box='(150,150)', time='2')",
          "long_press(point='<point>150 150</point>')"],
         ["long_press(start_box='(15,150)')"]),
        ("dragging", drag(space),
         ["drag(start_box='(150,150)', end_box='(650,650)')",
          "drag(start_point='<point>150 150</point>', end_point='<point>650 650</point>')"],
         ["drag(start_box='(650,650)', end_box='(150,150)')", "drag(start_box='(150,150)')"]),
        ("keys are parted by spaces", COPY, ["Action: hotkey(key='ctrl c')"],
         ["Action: hotkey(key='ctrl v')", "Action: hotkey(key='')"]),
        ("typing, with or without the newline that submits", TYPE,
         ["Action: type(content='Hello World')", "Action: type(content='Hello World\\n')",
          'Action: type(content="Hello World")'],
         ["Action: type(content='Hello')", "Action: type(content=5)", "Action: type()"]),
        ("an apostrophe that is not escaped", {"action": "type", "text": "it's fine"},
         ["Action: type(content='it's fine')", "Action: type(content='it\\'s fine')"],
         ["Action: type(content='it's fine')\n\nwait()", "Action: type(content='its fine')"]),
        ("scrolling", DOWN,
         ["scroll(start_box='(5,5)', direction='down')",
          "scroll(point='<point>5 5</point>', direction='down')", "scroll(direction='down')"],
         ["scroll(start_box='(5,5)', direction='up')", "scroll(start_box='(5,5)')"]),
        ("apps", CHROME, ["open_app(app_name='Google Chrome')"], ["open_app(app_name='Google')"]),
        ("back", {"action": "back"}, ["press_back()"], ["press_home()"]),
        ("waiting", {"action": "wait"}, ["Action: wait()"], ["Action: finished()"]),
        ("done", SUCCESS,
         ["finished()", "Action: finished(content='All done.')", "finished(content='it's done')"],
         ["wait()", "finished(content='a') click(start_box='(1,2)')",
          "finished(content='a'), wait(content='b')"]),
    ]  # fmt: skip


@each("ui_tars", rows("norm1000"))
def test_first_version(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@each("ui_tars_1_5", rows("pixel"))
def test_later_version(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@pytest.mark.parametrize("answer", ["click(start_box='(1000,1000)')"])
def test_the_space_ends_at_a_thousand(answer: str) -> None:
    reference = {"coord": "norm1000", "action": "click", "bbox": [900, 900, 1000, 1000]}
    check("ui_tars", reference, answer, True)
