"""One value out of an answer: fences, limits, and the time that they take."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rewards.errors import AnswerError
from rewards.text.literals import read_literal, unfenced

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        pytest.param("```json\n[1]\n```", "[1]", id="a language"),
        pytest.param("```\n[1]\n```", "[1]", id="no language"),
        pytest.param("  ``` json [1] ```\n", "[1]", id="on one line"),
        pytest.param('```json{"a": 1}```', '{"a": 1}', id="no space"),
        pytest.param("```tool_call\nx\n```", "x", id="a tool call"),
        pytest.param("```python\nf()\n```", "f()", id="a program"),
        pytest.param("```pyautogui.click(1, 2)```", "pyautogui.click(1, 2)", id="no language py"),
        pytest.param("```text.strip()```", "text.strip()", id="no language text"),
        pytest.param("``````", "", id="nothing inside"),
        pytest.param("```", "```", id="one mark"),
        pytest.param("````", "````", id="not two marks"),
        pytest.param("```[1]``` ```[2]```", "```[1]``` ```[2]```", id="two blocks"),
        pytest.param("so: ```[1]```", "so: ```[1]```", id="not the whole text"),
        pytest.param(" [1] ", "[1]", id="no fence"),
    ],
)
def test_fences(text: str, inside: str) -> None:
    assert unfenced(text) == inside


@pytest.mark.parametrize(
    "text",
    [
        "```" + " " * 190_000 + "x",
        "```" + "\n" * 190_000 + "x```y",
        " " * 190_000 + "```",
        "```json" + " " * 190_000 + "```",
        "```" * 60_000,
        "`" * 190_000,
        "```" + " \n" * 90_000 + "```" + " \n" * 5_000,
    ],
    ids=range(7),
)
def test_fences_take_no_time(text: str) -> None:
    started = time.process_time()
    unfenced(text)
    with suppress(AnswerError):
        read_literal(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "value"), [("[1, 2]", [1, 2]), ("{'a': (1, None)}", {"a": (1, None)}), ("1.5", 1.5)]
)
def test_literals(text: str, value: Any) -> None:
    assert read_literal(text) == value


def test_the_terminal_hears_nothing_of_odd_literals() -> None:
    program = (
        "from rewards.text.literals import read_literal\n"
        "for text in (r'[\"\\d\", \\'\\d\\']', '[1if 2else 3]'):\n"
        "    try: read_literal(text)\n"
        "    except Exception: pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert (run.stdout, run.stderr) == ("", "")
