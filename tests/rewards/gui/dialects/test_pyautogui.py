"""Calls of pyautogui, which are read and never run."""

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
    drag,
    each,
    target,
)  # fmt: skip

AGUVIS: list[Row] = [
    (
        "a click between 0 and 1",
        target("norm1"),
        [
            "pyautogui.click(x=0.15, y=0.15)",
            "pyautogui.click(0.15, 0.15)",
            "import pyautogui\npyautogui.click(x=0.15, y=0.15)",
            "```python\nimport pyautogui\npyautogui.click(x=0.15, y=0.15)\n```",
            "Observation: x.\nThought: y.\nAction: Click it.\npyautogui.click(x=0.15, y=0.15)",
            "Thought: click.\nAction: Click it.\n```python\npyautogui.click(x=0.15, y=0.15)\n```",
            "pyautogui.click(x=0.15, y=0.15, button='left')",
            "pyautogui.click(x=0.15, y=0.15, clicks=1, duration=0.5)",
        ],
        [
            "pyautogui.click(x=0.25, y=0.15)",
            "pyautogui.doubleClick(x=0.15, y=0.15)",
            "pyautogui.click(x=0.15, y=0.15, button='right')",
            "pyautogui.click(x=0.15, y=0.15, clicks=2)",
            "pyautogui.click(x=150, y=150)",
            "pyautogui.click(x=0.15, y=float('nan'))",
            "pyautogui.click(x=0.15, y=1e999)",
            "pyautogui.click(x='0.15', y='0.15')",
            "pyautogui.click(x=True, y=0.15)",
            "pyautogui.click(x=0.1+0.05, y=0.15)",
            "pyautogui.click(x=0.15, y=0.15, color='red')",
            "pyautogui.click(x=0.15)",
            "pyautogui.click()",
            "pyautogui.click(x=0.15, y=0.15); pyautogui.press('a')",
            "pyautogui.click(x=0.15, y=0.15)\npyautogui.click(x=0.15, y=0.15)",
            "pyautogui.click(x=0.15, y=0.15) or pyautogui.press('a')",
            "import os\npyautogui.click(x=0.15, y=0.15)",
            "os.system('true')",
            "pyautogui.click(x=__import__('os').getpid(), y=0.15)",
            "click(x=0.15, y=0.15)",
            "Thought: pyautogui.click(x=0.15, y=0.15)",
            "Thought: x\npyautogui.press('a')\npyautogui.click(x=0.15, y=0.15)",
            "Thought: x\npyautogui.press('a')\n```python\npyautogui.click(x=0.15, y=0.15)\n```",
            "Thought: x\n```python\npyautogui.press('a')\npyautogui.click(x=0.15, y=0.15)\n```",
        ],
    ),
    ("the right button in two ways", target("norm1", "right_click"),
     ["pyautogui.rightClick(x=0.15, y=0.15)", "pyautogui.click(x=0.15, y=0.15, button='right')"],
     ["pyautogui.click(x=0.15, y=0.15)"]),
    ("double clicks in two ways", target("norm1", "double_click"),
     ["pyautogui.doubleClick(x=0.15, y=0.15)", "pyautogui.click(x=0.15, y=0.15, clicks=2)"],
     ["pyautogui.click(x=0.15, y=0.15)", "pyautogui.doubleClick()"]),
    ("triple clicks", target("norm1", "triple_click"),
     ["pyautogui.tripleClick(x=0.15, y=0.15)"], []),
    ("moving the mouse", target("norm1", "hover"), ["pyautogui.moveTo(x=0.15, y=0.15)"],
     ["pyautogui.click(x=0.15, y=0.15)"]),
    ("long presses", target("norm1", "long_press"), ["mobile.long_press(x=0.15, y=0.15)"], []),
    ("dragging", drag("norm1"),
     ["pyautogui.dragTo(from_coord=[0.15, 0.15], to_coord=[0.65, 0.65])"],
     ["pyautogui.dragTo(from_coord=[0.65, 0.65], to_coord=[0.15, 0.15])",
      "pyautogui.dragTo(x=0.65, y=0.65)"]),
    ("typing", TYPE,
     ["pyautogui.write(message='Hello World')", "pyautogui.typewrite('Hello World', interval=0.1)"],
     ["pyautogui.write(message='Hello')", "pyautogui.write()", "pyautogui.write(5)"]),
    ("keys", COPY,
     ["pyautogui.hotkey('ctrl', 'c')", "pyautogui.hotkey(keys=['ctrl', 'c'])",
      "pyautogui.hotkey('c', 'ctrl')"],
     ["pyautogui.hotkey('ctrl', 'v')", "pyautogui.hotkey()",
      "pyautogui.hotkey('ctrl', keys=['c'])"]),
    ("one key", {"action": "hotkey", "keys": "enter"},
     ["pyautogui.press('enter')", "pyautogui.press(keys='return')"], ["pyautogui.press('esc')"]),
    ("negative scrolls down", DOWN, ["pyautogui.scroll(-5)", "pyautogui.scroll(page=-0.1)"],
     ["pyautogui.scroll(5)", "pyautogui.scroll(0)", "pyautogui.hscroll(-5)", "pyautogui.scroll()"]),
    ("swiping", {"coord": "norm1", "action": "swipe", "direction": "up"},
     ["mobile.swipe(from_coord=[0.5, 0.8], to_coord=[0.5, 0.2])"],
     ["mobile.swipe(from_coord=[0.5, 0.2], to_coord=[0.5, 0.8])",
      "mobile.swipe(from_coord=[0.5, 8], to_coord=[0.5, 0.2])"]),
    ("apps", CHROME, ["mobile.open_app(app_name='Google Chrome')"], ["mobile.open_app('Chrome')"]),
    ("options", {"action": "select", "option": "Red"},
     ["browser.select_option(x=0.1, y=0.1, value='red')"],
     ["browser.select_option(x=0.1, y=0.1, value='blue')"]),
    ("back", {"action": "back"}, ["mobile.back()"], ["mobile.home()"]),
    ("waiting", {"action": "wait"}, ["mobile.wait(seconds=3)", "WAIT"], ["mobile.home()"]),
    ("done", SUCCESS, ["terminate(status='success')", "mobile.terminate(status='success')", "DONE"],
     ["terminate(status='failure')", "FAIL"]),
    ("failed", FAILURE, ["computer.terminate(status='failure')", "FAIL"], ["DONE"]),
    ("answers", {"action": "answer", "text": "42"}, ["answer('42')", "answer(text='42')"],
     ["answer('41')"]),
]  # fmt: skip
PIXELS: list[Row] = [
    ("pixels of the screenshot", target("pixel"), ["pyautogui.click(150, 150)"],
     ["pyautogui.click(0.15, 0.15)", "pyautogui.click(1150, 150)", "pyautogui.click(-1, 150)"]),
]  # fmt: skip


@each("aguvis", AGUVIS)
def test_fractions(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)


@each("pyautogui", PIXELS)
def test_pixels(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    check(dialect, reference, answer, passes)
