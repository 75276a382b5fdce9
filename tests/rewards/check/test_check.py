"""The offline check: agreement, broken lines, audits, resuming, exit codes."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rewards import VerifierPool
from rewards.__main__ import main
from rewards.check.command import add_arguments, run_check
from rewards.check.statistics import wilson_interval
from rewards.grounding.dialects import DIALECTS as BOX_DIALECTS
from rewards.gui.dialects.table import DIALECTS as GUI_DIALECTS

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


def test_damaged_escapes_are_shown_repaired_or_read(tmp_path: Path) -> None:
    read = ["1\x0crac{1}{2}", "\theta", "\\\\frac{1}{2}", "60^{\\textcirc}", "\x08oxed{5}"]
    doubtful = {"rac{1}{2}": "\\frac{1}{2}", "x\ne 2": "x\\ne 2"}
    rows = [{"domain": "math", "reference": text} for text in [*read, *doubtful]]
    code, summary = check(write(tmp_path / "data.jsonl", rows), "--gold")
    assert code == 1
    bad = {row["line"]: row["why"] for row in summary["bad_references"]}
    assert sorted(bad) == [6, 7]
    for why, repaired in zip(bad.values(), doubtful.values(), strict=True):
        assert "looks like a damaged escape" in why
        assert repr(repaired) in why


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


@pytest.mark.parametrize(
    ("domain", "dialect"),
    [*(("gui", name) for name in GUI_DIALECTS), *(("grounding", name) for name in BOX_DIALECTS)],
)
def test_an_audit_writes_in_the_dialect_of_the_settings(
    domain: str, dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = [0.1, 0.1, 0.2, 0.2]
    references: list[dict[str, Any]] = [
        {"coord": "norm1", "mode": "multi", "boxes": [box, [0.5, 0.5, 0.9, 0.9]]}
    ]
    if domain == "gui":
        entry = GUI_DIALECTS[dialect]
        place: dict[str, Any] = {"bbox": box, "coord": "norm1"}
        references = [
            {"action": "click", **(place if "place" in entry.targets else {"mark": 3})},
            {"action": "scroll", "direction": "down"},
            {"action": "type", "text": "Hello"},
        ]
        references = [row for row in references if row["action"] in entry.actions]
    rows = [{"domain": domain, "reference": reference} for reference in references]
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({domain: {"dialect": dialect}}))
    path = write(tmp_path / "data.jsonl", rows)
    options = ["--gold", "--reformat", "--perturb", "--probe", "--settings", str(settings)]
    assert main(["check", str(path), "--json", *options]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert {group["check"] for group in summary["groups"]} == {
        "gold", "reformat", "perturb", "probe"
    }  # fmt: skip


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


def refusal(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What ``check`` says when it cannot run: one line on standard error, exit code 2."""
    assert main(["check", *options]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    return printed.err


NEARLY = {"domain": "ocr", "response": "hallo", "reference": "hello", "bare": True}


def test_a_pass_mark_changes_what_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = str(write(tmp_path / "cases.jsonl", [{**NEARLY, "expected": True}]))
    assert main(["check", cases, "--json"]) == 1
    assert main(["check", cases, "--json", "--pass-mark", "ocr=0.8"]) == 0
    capsys.readouterr()
    for option, reason in (
        ("ocr", "expected DOMAIN=NUMBER, found 'ocr'"),
        ("ocr=much", "expected a number, found 'much'"),
        ("ocr=1.5", "expected a number from 0 to 1, found 1.5"),
        ("ocr=nan", "expected a number from 0 to 1, found nan"),
        ("orc=0.8", "unknown domain 'orc'. Did you mean 'ocr'"),
    ):
        assert re.search(reason, refusal(capsys, cases, "--pass-mark", option))
    twice = ("--pass-mark", "ocr=0.8", "--pass-mark", "ocr=0.9")
    assert "ocr is given twice" in refusal(capsys, cases, *twice)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('{"charts": {"tolerance": "0.5"}}', "charts.tolerance: expected a number not below 0 and "
         "below 1, found the text '0.5'."),
        ('{"math": {"allow_restating": "no"}}', "math.allow_restating: expected true or false"),
        ('{"math": {"allow_restating": 1}}', "expected true or false, found 1."),
        ('{"charts": {"tolerence": 0.5}}', "unknown setting 'tolerence'. Did you mean 'tolerance'"),
        ('{"chart": {}}', "unknown settings section 'chart'. Did you mean 'charts'"),
        ('{"charts": 5}', "charts: expected an object of settings, found 5."),
        ('{"judge": {"domains": ["maths"]}}', "judge.domains[0]: expected one of"),
        ('{"judge": {"base_url": "http://x/v1"}}', "judge.model: expected the name"),
        ('{"judge": {"cache_path": "/dev/null/x.sqlite"}}', "judge.cache_path: expected a file"),
        ("[1]", "expected an object of domains and their settings, found list"),
        ("{", "--settings"),
    ],
)  # fmt: skip
def test_wrong_settings_are_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str, reason: str
) -> None:
    cases = str(write(tmp_path / "cases.jsonl", ROWS))
    settings = tmp_path / "settings.json"
    settings.write_text(written)
    assert reason in refusal(capsys, cases, "--settings", str(settings))


def test_a_pool_that_is_handed_in_decides_and_stays_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = write(tmp_path / "cases.jsonl", [{**NEARLY, "expected": True}])
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args([str(cases), "--json"])
    with VerifierPool(pass_marks={"ocr": 0.8}) as pool:
        assert run_check(arguments, pool) == 0
        assert run_check(arguments, pool) == 0
    with VerifierPool() as pool:
        assert run_check(arguments, pool) == 1
    capsys.readouterr()


def test_a_verifier_that_does_not_import_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = str(write(tmp_path / "cases.jsonl", ROWS))
    found = refusal(capsys, cases, "--custom", "mine=no.such:thing")
    assert "cannot import the verifier" in found
    found = refusal(capsys, cases, "--custom", "mine=no.such:thing", "--pass-mark", "mine=0.5")
    assert "cannot import the verifier" in found
    assert "expected NAME=MODULE:FUNCTION" in refusal(capsys, cases, "--custom", "mine")


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-4)
