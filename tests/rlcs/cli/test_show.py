"""Runs in the terminal: the table, the screen, a problem, a step; no text of a run is obeyed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_runs import completion, group, make_run, problem_row, step_row, write_run

from rlcs.cli.main import main
from rlcs.cli.show.screen import spark

ESCAPES = "\x1b]0;owned\x07\x1b[2J\r\u202e[bold]x[/bold]"
"""Renames the window, clears the screen, overwrites the line, turns the direction of reading."""
SHOWN = "\\u001b]0;owned\\u0007\\u001b[2J\\r\\u202e[bold]x[/bold]"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """What the command prints: on standard error where it fails."""
    assert main([str(each) for each in arguments]) == status
    out = capsys.readouterr()
    return out.err if status else out.out


def write_small(folder: Path) -> None:
    """Two steps of two problems, one of them never solved; held-out accuracy rises."""
    write_run(
        folder,
        groups=[
            group(1, "p", 2, "trained"),
            group(1, "q", 0, "invalid"),
            group(2, "p", 4, "invalid"),
        ],
        steps=[step_row(1, pass_rate=0.25), step_row(2, pass_rate=0.75)],
        completions={
            step: [completion("p", at, passed=at < 2, text=f"text {at} of {step}") for at in (0, 3)]
            for step in (1, 2)
        },
        problems=[problem_row("p", question="What is 2 + 2?"), problem_row("never")],
    )
    rows = [{"step": step, "accuracy": 0.1 * step, "problems": 50} for step in (1, 2)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "log" / "evaluations.jsonl").write_text(text)


def test_the_table_has_a_row_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    write_small(runs / "small")
    (runs / "small" / "summary.json").write_text("{}")
    make_run(runs / "made", steps=3)
    (runs / "begun").mkdir()
    (runs / "begun" / "config.resolved.yaml").write_text("run: {num_steps: 5}\n")
    (runs / "link").symlink_to("/etc")
    lines = said(capsys, "runs", runs).splitlines()
    row = {line.split()[0]: line.split() for line in lines[1:] if line}
    assert row["small"][1:6] == ["finished", "2/9", "50.0%", "-", "20.0%"]
    assert row["small"][6] == "+10.0"
    assert row["made"][1:3] == ["running", "3/3"]
    assert row["begun"][1:4] == ["running", "0/5", "-"]
    assert "link" not in row  # it is no run


def test_a_folder_without_runs_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "rlcs train configs/quickstart.yaml" in said(capsys, "runs", tmp_path)
    assert "expected a folder with runs" in said(capsys, "runs", tmp_path / "gone", status=2)


def test_one_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small(tmp_path / "small")
    text = said(capsys, "show", tmp_path / "small")
    lines = text.splitlines()
    assert lines[0] == "small: running, step 2 of 9"
    (rate,) = [line for line in lines if line.startswith("pass rate of what is drawn")]
    assert rate.split()[-3:] == ["25.0%", "75.0%", "▁█"]
    assert "held-out after step 2: 20.0% (11.2% to 33.0%) over 50 problems" in lines
    (wrong,) = [line.split() for line in lines if line.startswith("all wrong")]
    assert wrong[-3:] == ["1", "40", "33.3%"]
    assert "no alarms" in lines
    assert len(lines) < 40


def test_the_screen_tells_alarms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [step_row(1), step_row(2, truncated=0.9)]
    write_run(tmp_path / "a", groups=[group(1, "p", 1, "trained")], steps=steps)
    text = said(capsys, "show", tmp_path / "a")
    assert "alarms: 1 in the newest step, 0 before" in text
    assert "since step 2: truncation. 90% of the completions" in text


def test_a_run_without_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a", groups=[])
    assert "No step of this run is finished yet" in said(capsys, "show", tmp_path / "a")


def test_the_completions_of_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small(tmp_path / "small")
    text = said(capsys, "show", tmp_path / "small", "--step", 2)
    assert "problem p: 1 of 2 passed" in text
    assert "[completion 3: wrong · reward 0 · 10 tokens · ended by stop · answer 3]" in text
    assert "text 3 of 2\n" in text
    assert "of 1\n" not in text
    missing = said(capsys, "show", tmp_path / "small", "--step", 7, status=2)
    assert "expected the completions of step 7, found those of steps 1 to 2" in missing
    (tmp_path / "small" / "rollouts" / "step_000002.parquet").write_bytes(b"PAR1")
    damaged = said(capsys, "show", tmp_path / "small", "--step", 2, status=2)
    assert "cannot be read" in damaged


def test_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small(tmp_path / "small")
    text = said(capsys, "show", tmp_path / "small", "--problem", "p")
    assert "[user]\nWhat is 2 + 2?" in text
    assert "reference: 2" in text
    assert "text 0 of 2" in text
    assert "text 0 of 1" in said(capsys, "show", tmp_path / "small", "--problem", "p", "--step", 1)
    assert "It was never drawn." in said(capsys, "show", tmp_path / "small", "--problem", "never")
    for arguments, message in (
        (("--problem", "gone"), "expected a problem of small, found none with the id gone"),
        (("--problem", "p", "--step", 9), "it was drawn in steps 1, 2"),
        (("--problem", "never", "--step", 1), "it was never drawn"),
    ):
        assert message in said(capsys, "show", tmp_path / "small", *arguments, status=2)


def test_a_folder_of_runs_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small(tmp_path / "runs" / "small")
    text = said(capsys, "show", tmp_path / "runs", status=2)
    assert "found a folder with the runs small" in text


def test_control_characters_are_shown_and_never_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"domain": ESCAPES, "category": ESCAPES, "tier": ESCAPES}
    row = step_row(1)
    row["curriculum"] = {f"tier/{ESCAPES}": 1.0}
    own = {"text": ESCAPES, "extracted": ESCAPES, "detail": ESCAPES, "outcome": ESCAPES,
           "finish_reason": ESCAPES}  # fmt: skip
    image = json.dumps([{"name": ESCAPES}])
    write_run(
        tmp_path / "runs" / f"a{ESCAPES.replace('/', '')}",
        groups=[group(1, ESCAPES, 1, ESCAPES, **named)],
        steps=[row],
        completions={1: [completion(ESCAPES, 0, **own)]},
        problems=[
            problem_row(ESCAPES, question=ESCAPES, reference=json.dumps(ESCAPES), images=image)
        ],
    )
    (folder,) = (tmp_path / "runs").iterdir()
    for arguments in (
        ("runs", folder.parent),
        ("show", folder),
        ("show", folder, "--step", 1),
        ("show", folder, "--problem", ESCAPES),
    ):
        text = said(capsys, *arguments)
        assert SHOWN[:12] in text, arguments
        assert all(sign.isprintable() or sign == "\n" for sign in text), arguments
    assert SHOWN in said(capsys, "show", folder, "--step", 1)
    error = said(capsys, "show", folder, "--problem", "\x1b[2J", status=2)
    assert "\x1b" not in error


@pytest.mark.parametrize(
    ("values", "line"),
    [
        pytest.param([0.0, 1.0], "▁█", id="least and greatest"),
        pytest.param([1.0, np.nan, 8.0], "▁ █", id="unknown"),
        pytest.param([3.0, 3.0], "▁▁", id="level"),
        pytest.param([7.0, 0.0, 3.0], "█▁▄", id="falls"),
    ],
)
def test_a_course_is_a_sign_a_point(values: list[float], line: str) -> None:
    assert spark(np.array(values)) == line


def test_head_may_close_the_pipe(tmp_path: Path) -> None:
    texts = [completion("p", at, text="long " * 20_000) for at in range(20)]
    write_run(tmp_path / "a", groups=[group(1, "p", 1, "trained")], completions={1: texts})
    command = [sys.executable, "-m", "rlcs.cli", "show", str(tmp_path / "a"), "--step", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
