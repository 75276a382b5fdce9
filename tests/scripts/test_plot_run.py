"""The picture of a run: what is read from a folder, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("plot_run")


def step(number: int, *, pass_rate: float | None, easy: float, **numbers: float) -> dict[str, Any]:
    shares = {"tier/easy": easy, "tier/hard": 1 - easy}
    return {"step": number, "pass_rate": pass_rate, "curriculum": {**numbers, **shares}}


def group(number: int, problem: str, tier: str, fate: str = "trained") -> dict[str, Any]:
    return {"step": number, "problem_id": problem, "tier": tier, "fate": fate}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    steps = [
        step(1, pass_rate=None, easy=0.25, valid_rate=0.5),
        step(2, pass_rate=0.75, easy=0.5),  # nothing told whether its groups were valid
    ]
    groups = [
        group(1, "a", "easy"),
        group(1, "b", "hard", "carried"),
        group(2, "b", "hard"),  # drawn in step 1
        group(2, "c", "hard"),
    ]
    (tmp_path / "log").mkdir()
    for name, rows in (("steps", steps), ("groups", groups)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "log" / f"{name}.jsonl").write_text(text)
    summary = {"eval": {"before": {"accuracy": 0.25}, "after": {"accuracy": 0.5}}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    return tmp_path


def test_reads_what_the_log_says(script: ModuleType, run: Path) -> None:
    read = script.read_run(run)
    assert read.steps.tolist() == [1, 2]
    np.testing.assert_equal(read.pass_rate, [np.nan, 0.75])
    np.testing.assert_equal(read.valid, [0.5, np.nan])
    assert read.tiers == ["easy", "hard"]
    assert read.problems.tolist() == [[0.25, 0.5], [0.75, 0.5]]
    assert read.drawn.tolist() == [[0.5, 0.0], [0.5, 1.0]]
    assert read.heldout == [("before", 0.25), ("after", 0.5)]


def test_a_run_that_goes_on_is_read_as_far_as_it_is(script: ModuleType, run: Path) -> None:
    (run / "summary.json").unlink()
    with (run / "log" / "steps.jsonl").open("a") as file:
        file.write('{"step": 3, "pass_ra')
    read = script.read_run(run)
    assert read.steps.tolist() == [1, 2]
    assert read.heldout == []


def test_smoothing_leaves_what_is_not_known_out(script: ModuleType) -> None:
    assert script.smoothed(np.array([np.nan, 1.0, 3.0])).tolist() == [2.0, 2.0, 2.0]
    assert np.isnan(script.smoothed(np.array([np.nan]))).all()


def test_draws_a_picture(script: ModuleType, run: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = run / "run.png"
    script.draw(script.read_run(run), picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_a_run_is_refused(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("sys.argv", ["plot_run", str(tmp_path), str(tmp_path / "out.png")])
    assert script.main() == 2
    assert "expected a run with at least one step in" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
