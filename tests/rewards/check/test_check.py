"""The offline check: agreement, broken lines, audits, resuming, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rewards.check.statistics import wilson_interval

ROWS: list[Any] = [
    {"domain": "math", "response": "5", "reference": "5", "bare": True, "expected": True},
    {"domain": "math", "response": "6", "reference": "5", "bare": True, "expected": False},
    {"domain": "ocr", "response": "hallo", "reference": "hello", "bare": True, "expected": 0.8},
]
PLANTED = [{"domain": "math", "reference": "12"}, {"domain": "math", "reference": "\\frac{1}{"}]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def check(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "rewards", "check", str(path), "--json", *options]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    return run.returncode, json.loads(run.stdout)


def test_agreement_is_exit_code_0(tmp_path: Path) -> None:
    code, summary = check(write(tmp_path / "cases.jsonl", ROWS))
    assert code == 0
    assert [group["agreed"] for group in summary["groups"]] == [2, 1]


def test_broken_lines_are_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    wrong = {"domain": "math", "response": "5", "reference": "5", "bare": True, "expected": False}
    missing = {"domain": "math", "response": "5"}
    rows = [*ROWS, "{broken", {**ROWS[0], "domain": "maths"}, missing, wrong]
    code, summary = check(write(tmp_path / "cases.jsonl", rows))
    assert code == 1
    assert [broken["line"] for broken in summary["broken_lines"]] == [4, 5, 6]
    assert [row["line"] for row in summary["examples"]] == [7]
    assert summary["groups"][0]["false_positives"] == 1


def test_an_audit_finds_a_planted_bad_reference(tmp_path: Path) -> None:
    code, summary = check(write(tmp_path / "data.jsonl", PLANTED), "--gold", "--perturb")
    assert code == 1
    assert [bad["line"] for bad in summary["bad_references"]] == [2]


def test_an_audit_finds_a_planted_hack(tmp_path: Path) -> None:
    verifier = tmp_path / "naive_verifier.py"
    verifier.write_text(
        "from rewards import Outcome, Verdict\n"
        "def naive(request):\n"
        "    hit = str(request.reference) in request.response\n"
        "    outcome = Outcome.CORRECT if hit else Outcome.WRONG\n"
        "    return Verdict(outcome=outcome, score=float(hit), extracted=None, detail='',\n"
        "                   seconds=0.0)\n"
    )
    data = write(tmp_path / "data.jsonl", [{"domain": "naive", "reference": "12"}])
    command = [sys.executable, "-m", "rewards", "check", str(data), "--json", "--probe"]
    run = subprocess.run(
        [*command, "--custom", "naive=naive_verifier:naive"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{tmp_path}:{Path.cwd()}", "PATH": "/usr/bin:/bin"},
    )
    assert run.returncode == 1, run.stderr
    assert {"hedge", "spam"} <= {row["note"] for row in json.loads(run.stdout)["examples"]}


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    cases = write(tmp_path / "cases.jsonl", ROWS * 20)
    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    _, expected = check(cases, "--out", str(whole))
    lines = whole.read_bytes().splitlines(keepends=True)
    assert len(lines) == 60
    resumed.write_bytes(b"".join(lines[:25]) + lines[25][:30])  # killed while writing
    _, summary = check(cases, "--out", str(resumed))

    def counts(summary: dict[str, Any]) -> list[Any]:
        return [(g["domain"], g["rows"], g["agreed"]) for g in summary["groups"]]

    assert counts(summary) == counts(expected)
    keys = [json.loads(line)["key"] for line in resumed.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 60


def test_control_c_leaves_whole_rows_and_says_how_to_go_on(tmp_path: Path) -> None:
    cases, out = write(tmp_path / "cases.jsonl", ROWS * 20_000), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "rewards", "check", str(cases), "--out", str(out)]
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not out.exists() or not out.stat().st_size:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    printed, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "same --out" in printed
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert 0 < len(rows) < 60_000


def test_a_missing_file_is_exit_code_2() -> None:
    command = [sys.executable, "-m", "rewards", "check", "no-such-file.jsonl"]
    assert subprocess.run(command, capture_output=True).returncode == 2


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-4)
