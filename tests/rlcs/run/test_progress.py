"""What a person sees: plain lines without a terminal, a live table with one, and accuracies."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from rlcs.cli.eval.examination import accuracy_table
from rlcs.run.progress import COLUMNS, SHOWN_STEPS, Progress, tier_shares
from rlcs.training.evaluate import Accuracy, Evaluation, mean_over_problems
from rlcs.training.session import describe


def row(step: int, **changes: Any) -> dict[str, Any]:
    return {
        "step": step,
        "pass_rate": 0.25,
        "curriculum": {
            "valid_rate": 0.5,
            "expansion_ratio": 1.5,
            "tier/easy": 0.2,
            "tier/hard": 0.6,
        },
        "learner": {"loss": -0.125, "grad_norm": 2.0},
        "tokens_per_second": 12345.6,
        **changes,
    }


def shown(rows: list[dict[str, Any]], *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    with Progress(num_steps=20, steps_done=0, console=console) as progress:
        progress.say("[bold]a note[/bold]")
        for each in rows:
            progress.show_step(each)
    return out.getvalue()


def test_plain_lines_without_a_terminal() -> None:
    lines = shown([row(1), row(20)], terminal=False).splitlines()
    assert lines[0] == "[bold]a note[/bold]"
    assert len(lines) == 3
    assert lines[1].startswith(
        "step 1/20  pass rate 25.0%  valid 50.0%  expansion 1.50  tiers 25|75"
    )
    assert "loss -0.1250  grad 2.00  tokens/s 12,346" in lines[1]
    assert lines[2].endswith("left 0:00")
    assert "\x1b" not in "".join(lines)


def test_a_live_table_with_a_terminal() -> None:
    text = shown([row(step) for step in range(1, SHOWN_STEPS + 3)], terminal=True)
    assert "\x1b[" in text
    assert all(name in text for name in COLUMNS)
    last = text[text.rindex("pass rate") :]
    assert f"{SHOWN_STEPS + 2}/20" in last
    assert "\n2/20" not in last, "old steps leave the table"
    assert "a note" in text


def test_what_was_not_measured_is_a_dash() -> None:
    empty = row(1, pass_rate=None, learner={}, curriculum={})
    line = shown([empty], terminal=False).splitlines()[1]
    assert "pass rate -  valid -  expansion 1.00  tiers -  loss -  grad -" in line
    assert tier_shares({}) == "-"


NAN = np.nan


@pytest.mark.parametrize(
    ("passes", "mean", "best"),
    [
        ([[1, 0], [0, 0]], 0.25, 0.5),
        ([[1, NAN], [0, 0]], 0.5, 0.5),
        ([[NAN, NAN], [1, 0]], 0.5, 1.0),
        ([[NAN, NAN]], None, None),
    ],
)
def test_accuracy_leaves_out_what_could_not_be_judged(
    passes: list[list[float]], mean: float | None, best: float | None
) -> None:
    array = np.array(passes, dtype=np.float64)
    assert mean_over_problems(array, np.nanmean) == mean
    assert mean_over_problems(array, np.nanmax) == best


def evaluation(accuracy: float | None) -> Evaluation:
    part = Accuracy(num_problems=3, accuracy=accuracy, pass_at_k=accuracy, greedy=accuracy)
    return Evaluation(
        num_completions=4,
        num_errors=2,
        overall=part,
        by_domain={"math": part},
        by_category={"math/sums": part},
    )


def test_an_evaluation_as_json_as_a_line_and_as_a_table() -> None:
    found = json.loads(json.dumps(evaluation(0.5).as_json()))
    assert (found["accuracy"], found["greedy"], found["pass@4"], found["errors"]) == (0.5,) * 3 + (
        2,
    )
    assert found["by_domain"]["math"]["problems"] == 3
    assert describe(evaluation(0.5)) == "avg@4 50.0%, pass@4 50.0%, greedy 50.0% over 3 problems"
    assert describe(evaluation(None)) == "nothing could be judged over 3 problems"
    out = io.StringIO()
    Console(file=out, width=100).print(accuracy_table(evaluation(None)))
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [
        "problems",
        "all",
        "math",
        "math/sums",
    ]
    assert "-" in out.getvalue()
