"""The bench of samplers: its demonstrations, and which finished runs it counts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rlcs.config import write_config


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_sampling")


@pytest.fixture(scope="module")
def training_runs(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("training_runs.py")


@pytest.mark.parametrize(
    ("expression", "slip", "expected", "reason"),
    [
        ("3 + 9 + 4", 0.0, ("303912416", "16"), "each term with the total up to it"),
        ("10 + 0", 0.0, ("1010010", "10"), "a term of the task may be ten"),
        ("3 + 9 + 4", 1.0, ("303913418", "18"), "every addition one too large, the first term not"),
    ],
)
def test_a_demonstration_adds_term_by_term(
    training_runs: ModuleType, expression: str, slip: float, expected: tuple[str, str], reason: str
) -> None:
    assert training_runs.add(expression, slip, random.Random(0)) == expected, reason


def test_a_finished_run_counts_only_with_the_same_settings(
    script: ModuleType, tmp_path: Path
) -> None:
    run = script.Run(setting="middle", sampler="dapo", seed=3)
    assert not run.is_done(tmp_path, 100, [])
    folder = run.folder(tmp_path)
    folder.mkdir(parents=True)
    config = script.run_config(run, [])
    assert {source.category for source in config.data.train} == set(script.SETTINGS["middle"])
    assert (config.curriculum.kind, config.run.seed) == ("dapo", 3)
    write_config(config, folder / "config.resolved.yaml")
    (folder / "result.json").write_text(json.dumps({"completions": 100}))
    assert run.is_done(tmp_path, 100, [])
    for budget, overrides in ((200, []), (100, ["learner.learning_rate=1e-3"])):
        with pytest.raises(SystemExit, match="expected a run of these settings"):
            run.is_done(tmp_path, budget, overrides)
