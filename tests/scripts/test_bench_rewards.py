"""The bench of the verifiers: agreement with the judged answers of GSM8K that lie here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_rewards")


def test_all_of_the_sample_agree(script: ModuleType) -> None:
    assert script.agreement(script.GSM8K_SAMPLE) == (4 * 74, 4 * 74)


def test_a_judgement_that_differs_is_counted_and_named(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "ground_truth": "1 + 1 = 2\nA: 2",
        "small": {"solution": "A: 2", "is_correct": True},
        "large": {"solution": "A: 3", "is_correct": True},
    }
    path = tmp_path / "solutions.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert script.agreement(path) == (1, 2)
    assert "disagrees: '2' '3'" in capsys.readouterr().out
