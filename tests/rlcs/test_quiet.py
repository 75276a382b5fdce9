"""Other packages' chatter stays off the terminal; their errors do not."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from workshop import ROOT, environment

from rlcs.quiet import ERRORS_ALONE, quieten


@pytest.mark.parametrize("name", ERRORS_ALONE)
def test_errors_are_still_seen(name: str) -> None:
    quieten()
    logger = logging.getLogger(name)
    for level, seen in ((logging.WARNING, False), (logging.ERROR, True)):
        record = logger.makeRecord(name, level, "file", 1, "text", (), None)
        assert bool(logger.filter(record)) == seen


def test_a_setting_of_the_users_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    quieten()
    assert os.environ["VLLM_LOGGING_LEVEL"] == "DEBUG"


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(
            ["scripts/make_tiny_model", "model", "--hidden", "32", "--layers", "2"],
            "model: 49,888 parameters, 406 tokens\n",
            id="the first step of the quickstart: accelerators, bars of shards",
        ),
        pytest.param(
            ["-c", "import rlcs.quiet as q; q.quieten(); import deepspeed, vllm"],
            "",
            id="imports: accelerators, Triton",
        ),
    ],
)
def test_nothing_but_ours_is_printed(command: list[str], expected: str, tmp_path: Path) -> None:
    script = [str(ROOT / part) if part.startswith("scripts/") else part for part in command]
    called = subprocess.run(
        [sys.executable, *script],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert called.stdout == expected
