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


HALF_RIGHT = """
from rewards import Outcome, Verdict

def judge(request):
    return Verdict(
        outcome=Outcome.PARTIAL, score=0.5, extracted=None, detail="always half right", seconds=0.0
    )
"""


@pytest.mark.parametrize(("mark", "status"), [(0.5, 0), (0.6, 1)])
def test_pass_marks_of_the_config_count(
    mark: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit judged by the verifier's own mark, whatever the run's was."""
    (tmp_path / "half_right_verifier.py").write_text(HALF_RIGHT)
    monkeypatch.syspath_prepend(tmp_path)
    config = write_config(tmp_path, ["12"])
    tree = json.loads(config.read_text())
    tree["data"]["train"][0]["domain"] = "half"
    tree["scoring"] = {
        "domains": {"half": {"verifier": "half_right_verifier:judge", "pass_mark": mark}}
    }
    config.write_text(json.dumps(tree))
    assert main(["check", str(config), "--gold", "--json"]) == status


def test_options_that_the_config_answers_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, ["12"])
    assert main(["check", str(config), "--pass-mark", "math=0.5"]) == 2
    assert "--pass-mark is for a file of cases" in capsys.readouterr().err
