"""The bench of SmolLM2: which runs it still has to make, and its table of those it has."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rlcs.config import write_config


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_smollm2")


def wanted(out: Path, *overrides: str, completions: int = 64) -> argparse.Namespace:
    return argparse.Namespace(
        seeds=[0, 1], completions=completions, out=out, overrides=list(overrides)
    )


def test_a_finished_run_is_not_repeated(script: ModuleType, tmp_path: Path) -> None:
    runs = script.planned(wanted(tmp_path))
    assert [run.folder.name for run in runs] == ["uniform-0", "rlcs-0", "uniform-1", "rlcs-1"]
    runs[1].folder.mkdir()
    write_config(runs[1].config, runs[1].folder / "config.resolved.yaml")
    (runs[1].folder / "result.json").write_text(json.dumps({"completions": 64}))
    left = script.planned(wanted(tmp_path))
    assert [run.folder.name for run in left] == ["uniform-0", "uniform-1", "rlcs-1"]
    for other in (wanted(tmp_path, "learner.learning_rate=1"), wanted(tmp_path, completions=65)):
        with pytest.raises(SystemExit, match="expected a run of these settings"):
            script.planned(other)


def test_the_table_has_every_run_and_the_mean_gain(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def result(sampler: str, seed: int, after: float) -> dict[str, object]:
        curve = [{"completions": 0, "accuracy": 0.25}, {"completions": 64, "accuracy": after}]
        return {"sampler": sampler, "seed": seed, "curve": curve, "valid_share": 0.5}

    script.report([result("rlcs", 0, 0.5), result("rlcs", 1, 0.75), result("uniform", 0, 0.25)])
    printed = capsys.readouterr().out
    assert "| sampler | seed | after 0 | after 64 | valid groups |" in printed
    assert "| rlcs | 1 | 25.0 % | 75.0 % | 50 % |" in printed
    assert "rlcs: +37.5 points in the mean of 2" in printed
    assert "uniform: +0.0 points in the mean of 1" in printed
