"""The arena's cells, what it counts as finished, its noise, and the numbers of its report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rewards import Outcome, Verdict


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_arena")


@pytest.fixture(scope="module")
def report(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_arena_report")


@pytest.fixture(scope="module")
def training_runs(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("training_runs.py")


def test_every_cell_is_a_configuration_of_its_own(script: ModuleType) -> None:
    for pool, sizes in script.POOLS.items():
        cell = script.Cell(pool=pool, size="small", sampler="study/mopps memory=0.7", seed=107)
        config = cell.config(["run.groups_per_step=8"])
        assert (config.curriculum.kind, config.curriculum.memory) == ("study/mopps", 0.7)
        assert (config.run.seed, config.run.groups_per_step) == (107, 8)
        assert [source.size for source in config.data.train] == [size for size in sizes if size]
        domains = {source.domain for source in config.data.train}
        assert len(domains) == (3 if pool == "domains" else 1)
        assert sum(source.size for source in config.data.heldout) == 130


def test_finished_runs_are_not_made_again(script: ModuleType, tmp_path: Path) -> None:
    cell = script.Cell(pool="valid30", size="small", sampler="rlcs carry_over=true", seed=100)
    assert script.finished(tmp_path, 64, []) == set()
    script.note(tmp_path, {**cell.planned(tmp_path, []).about, "completions": 64})
    assert script.finished(tmp_path, 64, []) == {cell.key}
    for budget, overrides in ((128, []), (64, ["learner.learning_rate=1e-3"])):
        with pytest.raises(SystemExit, match="name another folder"):
            script.finished(tmp_path, budget, overrides)


def test_a_worker_is_started_with_what_it_understands(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line of a worker, read by the same parser, names the same cells."""
    cell = script.Cell(pool="noisy", size="small", sampler="dapo max_draws=64", seed=5)
    started: list[list[str]] = []
    monkeypatch.setattr(script.subprocess, "Popen", started.append)
    done: list[Any] = []
    monkeypatch.setattr(script, "work", lambda cells, arguments: done.extend(cells))
    arguments = argparse.Namespace(out=tmp_path, completions=64, overrides=["run.seed=1"])
    script.start([cell], arguments)
    monkeypatch.setattr("sys.argv", started[0][1:])
    script.main()
    assert done == [cell]


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Named:
    problem_id: str


class Right:
    """A scorer that finds everything correct."""

    def judge(self, problems: Any, groups: Any) -> list[tuple[Verdict, ...]]:
        verdict = Verdict(outcome=Outcome.CORRECT, score=1.0, extracted=None, detail="", seconds=0)
        return [(verdict,) * len(group) for group in groups]


def test_one_verdict_in_twenty_is_turned_round_and_always_the_same(script: ModuleType) -> None:
    scorer = script.ErringScorer(Right())
    problems = [Named(f"p{i}") for i in range(100)]
    groups = [[Text(f"answer {i}") for i in range(40)] for _ in problems]
    found = scorer.judge(problems, groups)
    scores = np.array([[verdict.score for verdict in group] for group in found])
    assert scores.mean() == pytest.approx(0.95, abs=0.01)
    assert scorer.judge(problems, groups) == found
    failed = Verdict(outcome=Outcome.TIMEOUT, score=0.0, extracted=None, detail="", seconds=1)
    assert script.turned_round(failed) == failed
    assert script.turned_round(script.turned_round(found[0][0])).score == found[0][0].score


class Certain:
    """A curriculum that expects a pass rate of .5 everywhere."""

    def predict(self, names: list[str], *, step: int) -> np.ndarray:
        return np.full(len(names), 0.5)

    def observe(self, results: Any) -> None:
        pass


def test_the_prediction_error_is_that_of_the_true_rates(training_runs: ModuleType) -> None:
    from curricula import GroupResult

    curriculum = training_runs.Foretold(Certain())
    assert curriculum.error() is None
    rng = np.random.default_rng(0)
    true = rng.choice([0.4, 0.7], 20_000)  # .1 and .2 away
    for start in range(0, len(true), 100):
        passes = rng.binomial(8, true[start : start + 100])
        curriculum.observe([GroupResult(f"p{i}", 0, int(s), 8, 0) for i, s in enumerate(passes)])
    assert curriculum.error() == pytest.approx((0.5 * (0.1**2 + 0.2**2)) ** 0.5, abs=0.005)


def finished(sampler: str, seed: int, *accuracies: float, at: int = 100) -> dict[str, Any]:
    numbers = ("valid_share", "prediction_error", "median_pass_rate", "coverage", "steps")
    points = [
        {
            "completions": at * i, "tokens": 20 * at * i, "seconds": 0.1 * i,
            "accuracy": value, "by_category": {"a": value},
        }
        for i, value in enumerate(accuracies)
    ]  # fmt: skip
    about = {"pool": "valid30", "size": "small", "sampler": sampler, "seed": seed}
    return {**about, "completions": 300, "curve": points, **dict.fromkeys(numbers, 0.25)}


def test_costs_are_paired_by_seed(report: ModuleType) -> None:
    rows = [
        finished("uniform", 0, 0.1, 0.2, 0.3, 0.4),
        finished("uniform", 1, 0.1, 0.1, 0.1, 0.5),
        finished("dapo max_draws=64", 0, 0.1, 0.1, 0.1, 0.1),
        finished("dapo max_draws=64", 1, 0.1, 0.1, 0.1, 0.3),
        finished("frontier", 0, 0.1, 0.4, 0.6, 0.5),
        finished("frontier", 1, 0.1, 0.3, 0.5, 0.5),
        finished("frontier", 2, 0.1, 0.3, 0.5, 0.5),
    ]
    samplers = ["uniform", "dapo max_draws=64", "frontier"]
    seeds, table = report.compare(rows, samplers)
    assert seeds == [0, 1]
    # Seed 0: 100 of 300; seed 1: 200 of 300. The geometric mean of 1/3 and 2/3.
    cost = table["frontier"]["completions over uniform"]
    assert cost[0] == pytest.approx((1 / 3 * 2 / 3) ** 0.5)
    assert cost[1:] == pytest.approx((1 / 3, 2 / 3))
    assert table["dapo max_draws=64"]["never"]["uniform"] == 2
    assert table["frontier"]["gain"][0] == pytest.approx(0.05)
    assert table["frontier"]["forgotten"][0] == pytest.approx(0.05)
    text = report.markdown(table)
    assert text.splitlines()[2].startswith("| uniform | 1.00 |")
    assert "dapo max_draws=64 (not reached: 2)" in text


def test_the_report_names_what_it_leaves_out(
    report: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    rows = [finished("uniform", seed, 0.1, 0.2) for seed in (0, 1)]
    rows += [finished("frontier", 0, 0.1, 0.3)]
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr("sys.argv", ["report", str(tmp_path), "--plots", str(tmp_path)])
    report.main()
    shown = capsys.readouterr().out
    assert "seeds 0\n" in shown
    assert "Left out, without a pair: uniform 1." in shown
    assert (tmp_path / "arena_valid30_small.png").stat().st_size > 1000
