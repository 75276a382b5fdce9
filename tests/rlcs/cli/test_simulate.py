"""`rlcs simulate`, as a person calls it: tables, files, and what is refused."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from curricula import CurriculumProblem, make_curriculum
from rlcs.cli.main import USER_ERROR, main

LEARNER = ["--world", "num_problems=300", "num_categories=6", "--completions", "2000", "--seeds"]


def write_log(folder: Path, num_steps: int = 10) -> Path:
    """The log of a run over made-up problems, in a run folder without its configuration."""
    problems = [
        CurriculumProblem(problem_id=f"p{i}", domain="math", category=f"c{i % 4}")
        for i in range(400)
    ]
    curriculum = make_curriculum("rlcs", problems, group_size=8, seed=0)
    rng = np.random.default_rng(0)
    (folder / "log").mkdir(parents=True)
    with (folder / "log" / "groups.jsonl").open("w") as file:
        for step in range(1, num_steps + 1):
            for draw in curriculum.draw(16, step=step):
                category = int(draw.problem_id[1:]) % 4
                row = {
                    "step": step,
                    "problem_id": draw.problem_id,
                    "domain": "math",
                    "category": f"c{category}",
                    "draw_probability": draw.probability,
                    "passes": int(rng.binomial(8, (0.02, 0.3, 0.7, 0.98)[category])),
                    "attempts": 8,
                    "errors": 0,
                    "fate": "trained",
                }
                file.write(json.dumps(row) + "\n")
    return folder


def test_a_learner_is_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"--{kind}={tmp_path / 'out'}.{kind}" for kind in ("json", "csv")]
    samplers = ["--sampler", "uniform", "--sampler", "rlcs carry_over=true"]
    assert main(["simulate", *samplers, *LEARNER, "2", *files]) == 0
    shown = capsys.readouterr().out
    assert "300 problems, 2,000 completions, seeds: 2." in shown
    assert "rlcs carry_over=true" in shown
    whole = json.loads((tmp_path / "out.json").read_text())
    assert whole["world"]["num_categories"] == 6
    assert [row["name"] for row in whole["rows"]] == ["uniform", "rlcs carry_over=true"]
    assert [len(row["courses"]) for row in whole["rows"]] == [2, 2]
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == [row["accuracy"] for row in whole["rows"]]


def test_a_run_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_log(tmp_path / "run")
    assert main(["simulate", str(run), "--sampler", "rlcs", "--sampler", "posterior"]) == 0
    shown = capsys.readouterr().out
    assert "in 10 steps" in shown
    for expected in ("the run itself", "rlcs", "posterior", "not how the model would have fared"):
        assert expected in shown
    assert "there is no config.resolved.yaml beside it" in shown
    assert main(["simulate", str(run / "log" / "groups.jsonl"), "--json", "-"]) == 0
    whole = json.loads(capsys.readouterr().out)
    names = ["uniform", "dapo", "rlcs", "posterior", "frontier"]
    assert [row["name"] for row in whole["rows"][1:]] == names
    assert all(0 < row["valid_share"] < 1 for row in whole["rows"])
    assert whole["rows"][1]["covered"] is None  # NaN is no JSON


@pytest.mark.parametrize("over", ["learner", "run"])
def test_a_picture_is_drawn(over: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    what = [*LEARNER, "2"] if over == "learner" else [str(write_log(tmp_path / "run"))]
    assert main(["simulate", *what, "--sampler", "rlcs", "--plot", f"{tmp_path}/out.png"]) == 0
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--sampler", "nope"], "a kind of curriculum out of rlcs, "),
        (["--sampler", ""], "a kind of curriculum out of rlcs, "),
        (["--sampler", "rlcs nope=1"], "expected settings of 'rlcs' out of "),
        (["--sampler", "rlcs sharpness"], "name=value after 'rlcs', found 'sharpness'"),
        (["--sampler", "rlcs exploration=NaN"], "exploration: expected a number not below 0 and "),
        (["--sampler", "rlcs exploration=much"], "not above 1, found the text 'much'.\n"),
        (["--sampler", 'rlcs "'], "quotation"),
        (["--sampler", "hard_stage", *LEARNER, "1"], "ungraded"),
        (["--world", "nope=1"], "--world: expected NAME=VALUE with num_problems"),
        (["--world", "graded=x"], "--world graded: expected a number, found 'x'"),
        (
            ["--world", "graded=nan"],
            "graded: expected a number not below 0 and not above 1, found nan",
        ),
        (["--world", "graded=2"], "graded: expected a number not below 0 and not above 1, found 2"),
        (["--world", "num_problems=0"], "num_problems: expected a whole number not below 1"),
        (["--world", "learning=-1"], "learning: expected a number not below 0"),
        (["--seeds", "0"], "--seeds: expected at least 1"),
        (["--completions", "-5"], "--completions: expected at least 1"),
        (["--group-size", "1", *LEARNER, "1"], "group_size of at least 2"),
        (["--json", "nowhere/out.json"], "found no folder nowhere"),
        (["--plot", "out.gif"], "ending in .png or .svg"),
        (["nowhere"], "at nowhere, found none"),
        (["FILE", "--world", "graded=1"], "leave it away with a run"),
        (["FILE"], "line 1"),
    ],
)
def test_mistakes_are_explained(
    arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "groups.jsonl").write_text("{}\n")
    given = [str(tmp_path / "groups.jsonl") if each == "FILE" else each for each in arguments]
    assert main(["simulate", *given]) == USER_ERROR
    shown = capsys.readouterr()
    assert why in shown.err
    assert shown.err.startswith("rlcs: error: ")
    assert not shown.out


def test_an_interval_of_one_seed_is_not_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *LEARNER, "1", "--json", f"{tmp_path}/a.json"]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["rows"][0]["cost_interval"] is None
    assert math.isfinite(json.loads((tmp_path / "a.json").read_text())["rows"][0]["cost"])
    assert "seeds: 1." in capsys.readouterr().out


def forecast_config(folder: Path, *, graded: bool) -> Path:
    """A run over 300 problems that pass never, half the time, or always."""
    rows = [
        {
            "id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "kind": f"k{i % 3}",
            "rate": i % 3 / 2,
        }
        for i in range(300)
    ]  # fmt: skip
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    rate = ", pass_rate: rate" if graded else ""
    config = folder / "run.yaml"
    config.write_text(
        f"run: {{folder: {folder}/out, num_steps: 6, groups_per_step: 8}}\n"
        f"model: {{path: {folder}/none}}\n"
        f"data: {{train: [{{path: {data}, columns: {{id: id, category: kind{rate}}}}}]}}\n"
        "curriculum: {kind: frontier}\n"
    )
    return config


def test_a_forecast_from_offline_grades(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = forecast_config(tmp_path, graded=True), tmp_path / "forecast.json"
    assert main(["simulate", "--forecast", str(config), "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "300 problems; 300 of them graded offline" in shown
    row = json.loads(out.read_text())["frontier"]
    assert row["low"] <= row["saving"] <= row["high"]
    assert row["saving"] > 0.3, "two thirds of the problems teach nothing"
    assert row["valid_share"][0] < 0.5 < row["valid_share"][1]


def test_a_forecast_from_the_first_steps_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path / "run")
    config = forecast_config(tmp_path, graded=False)
    assert main(["simulate", str(tmp_path / "run"), "--forecast", str(config)]) == 0
    assert "problems seen in" in capsys.readouterr().out
    assert main(["simulate", "--forecast", str(config)]) == USER_ERROR
    assert "grade them first" in capsys.readouterr().err
    assert main(["simulate", str(tmp_path), "--forecast", str(config)]) == USER_ERROR
    assert "expected a run folder" in capsys.readouterr().err


def test_what_does_not_go_with_a_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = forecast_config(tmp_path, graded=True)
    assert main(["simulate", "--forecast", str(config), "--world", "graded=1"]) == USER_ERROR
    assert "--world does not go with --forecast" in capsys.readouterr().err
