"""Lines of OS-Atlas in capitals."""

from __future__ import annotations

from typing import Any

from rewards_gui_cases import (
    CHROME,
    COPY,
    DOWN,
    FAILURE,
    SUCCESS,
    TYPE,
    Row,
    check,
    each,
    target,
)  # fmt: skip

ROWS: list[Row] = [
    (
        "a point in tags",
        target("norm1000"),
        [
            "CLICK <point>[[150,150]]</point>",
            "CLICK <point>[[150, 150]]</point>",
            "Thoughts: the gear.\nActions: CLICK <point>[[150, 150]]</point>",
            "thought:\nthe gear\nactions:\nCLICK <point>[[150, 150]]</point>",
        ],
        [
            "CLICK <point>[[250,150]]</point>",
            "LONG_PRESS <point>[[150,150]]</point>",
            "CLICK <point>[[1150,150]]</point>",
            "CLICK <point>[[0.15,0.15]]</point>",
            "CLICK <point>[[nan,150]]</point>",
            "CLICK <point>[[True,150]]</point>",
            "CLICK <point>[[100,100,200,200]]</point>",
            "CLICK <point>[[150,150]]</point> [Gear]",
            "CLICK <point>[[150,150]]</point>\nCLICK <point>[[150,150]]</point>",
            "actions: WAIT\nactions: CLICK <point>[[150,150]]</point>",
            "CLICK <point>[[150,150]]</point> or WAIT",
            "click <point>[[150,150]]</point>",
            "CLICK [150,150]",
            "CLICK",
        ],
    ),
    ("long presses", target("norm1000", "long_press"), ["LONG_PRESS <point>[[150,150]]</point>"],
     ["CLICK <point>[[150,150]]</point>"]),
    ("typing", TYPE, ["TYPE [Hello World]", "actions:\nTYPE [Hello World]"],
     ["TYPE [Hello]", "TYPE Hello World", "TYPE"]),
    ("brackets in the text", {"action": "type", "text": "a[1] b"}, ["TYPE [a[1] b]"], []),
    ("scrolling", DOWN, ["SCROLL [DOWN]", "SCROLL [down]"],
     ["SCROLL [UP]", "SCROLL [x]", "SCROLL"]),
    ("apps", CHROME, ["OPEN_APP [Google Chrome]"], ["OPEN_APP [Chrome]", "OPEN_APP"]),
    ("keys", COPY, ["HOTKEY [ctrl+c]"], ["HOTKEY [ctrl+v]"]),
    ("back", {"action": "back"}, ["PRESS_BACK"], ["PRESS_HOME", "PRESS_BACK [x]"]),
    ("home", {"action": "home"}, ["PRESS_HOME"], []),
    ("recent apps", {"action": "recent"}, ["PRESS_RECENT"], []),
    ("enter", {"action": "enter"}, ["ENTER"], ["WAIT"]),
    ("waiting", {"action": "wait"}, ["WAIT"], []),
    ("done", SUCCESS, ["COMPLETE"], ["IMPOSSIBLE"]),
    ("failed", FAILURE, ["IMPOSSIBLE"], ["COMPLETE"]),
]  # fmt: skip


@each("os_atlas", ROWS)
def test_case(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)
