"""``rlcs check CONFIG.yaml``: a run's own problems, judged before the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlcs.cli.main import main


def write_config(folder: Path, references: list[str]) -> Path:
    rows = [
        {"question": f"What is {number}?", "answer": text} for number, text in enumerate(references)
    ]
    problems = folder / "problems.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = folder / "config.yaml"
    config.write_text(
        json.dumps({"model": {"path": "none"}, "data": {"train": [{"path": str(problems)}]}})
    )
    return config


def test_good_references_pass_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, ["12", "\\frac{1}{2}", "x = 3"])
    assert main(["check", str(config), "--gold", "--perturb", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bad_references"] == []


def test_a_bad_reference_is_named_by_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an option the gold check is made: there are no responses to judge."""
    config = write_config(tmp_path, ["12", "\\frac{1}{", "3"])
    assert main(["check", str(config), "--json"]) == 1
    bad = json.loads(capsys.readouterr().out)["bad_references"]
    assert [row["line"] for row in bad] == [2]


def test_a_broken_config_is_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("modle: {}\n")
    assert main(["check", str(tmp_path / "config.yaml")]) == 2
    assert "modle" in capsys.readouterr().err
