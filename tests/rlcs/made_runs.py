"""Run folders for the tests of insight and dashboard: by scripts/make_run, or made by hand."""

from __future__ import annotations

import json
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rlcs.insight import Run, Runs

ROOT = Path(__file__).parents[2]
Maker = SourceFileLoader("make_run", str(ROOT / "scripts" / "make_run")).load_module().Maker

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>=1+1'
"""As an id, a name, a text: run where it is taken for HTML."""


def make_run(folder: Path, *, steps: int = 6, problems: int = 60) -> Any:
    """A run of some steps; returns its maker, which can make more of them."""
    maker = Maker(folder, groups=10, completions=4, problems=problems)
    maker.config(steps)
    maker.problems()
    for step in range(1, steps + 1):
        maker.step(step, step / steps)
    return maker


def open_run(folder: Path, cache: Path) -> Run:
    """The run in ``folder``, all of it read."""
    run = Runs(folder, cache=cache).run(folder.name)
    read_all(run)
    return run


def read_all(run: Run) -> None:
    """Read everything that is there."""
    while run.reader.read(60):
        pass


def group(step: int, problem_id: str, passes: int, fate: str, **more: Any) -> dict[str, Any]:
    """A row of ``groups.jsonl``, of 4 completions of 10 tokens each."""
    return {
        "step": step,
        "problem_id": problem_id,
        "domain": "math",
        "category": "sums",
        "tier": "medium",
        "draw_probability": 0.1,
        "passes": passes,
        "attempts": 4,
        "errors": 0,
        "tokens": 40,
        "fate": fate,
        **more,
    }


def completion(problem_id: str, index: int, *, passed: bool = False, **more: Any) -> dict[str, Any]:
    """A row of a file of completions."""
    return {
        "step": 1,
        "problem_id": problem_id,
        "index": index,
        "text": f"<think>well</think>{index}",
        "reward": float(passed),
        "passed": passed,
        "outcome": "correct" if passed else "wrong",
        "score": float(passed),
        "extracted": str(index),
        "detail": "",
        "verifier_seconds": 0.001,
        "prompt_tokens": 3,
        "completion_tokens": 10,
        "finish_reason": "stop",
        "forced": False,
        "policy_version": 0,
        "last_policy_version": 0,
        "mean_logprob": -0.5,
        **more,
    }


def step_row(step: int, **more: Any) -> dict[str, Any]:
    """A row of ``steps.jsonl``."""
    return {
        "step": step,
        "time": 1e9 + step,
        "seconds": {"rollout": 2.0, "learn": 1.0, "step": 3.0},
        "groups": {"trained": 1},
        "completions": 4,
        "tokens": 40,
        "tokens_per_second": 13.0,
        "pass_rate": 0.5,
        "reward": 0.5,
        "errors": 0,
        "truncated": 0.0,
        "learner": {"entropy": 0.5, "mismatch": 0.0},
        "curriculum": {
            "tier/easy": 0.5,
            "tier/hard": 0.5,
            "unseen": 0.5,
            "brier": 0.1,
            "brier_baseline": 0.2,
            "calibration_error": 0.1,
        },
        **more,
    }


def write_run(
    folder: Path,
    *,
    groups: list[dict[str, Any]],
    completions: dict[int, list[dict[str, Any]]] | None = None,
    steps: list[dict[str, Any]] | None = None,
    problems: list[dict[str, Any]] | None = None,
) -> None:
    """A run folder with these rows."""
    (folder / "log").mkdir(parents=True)
    (folder / "rollouts").mkdir()
    (folder / "config.resolved.yaml").write_text("run: {num_steps: 9}\n")
    last = max((row["step"] for row in groups), default=0)
    rows = steps if steps is not None else [step_row(step) for step in range(1, last + 1)]
    for name, content in (("steps", rows), ("groups", groups)):
        text = "".join(json.dumps(row) + "\n" for row in content)
        (folder / "log" / f"{name}.jsonl").write_text(text)
    for step, made in (completions or {}).items():
        table = pa.Table.from_pylist([{**row, "step": step} for row in made])
        pq.write_table(table, folder / "rollouts" / f"step_{step:06d}.parquet")
    if problems is not None:
        pq.write_table(pa.Table.from_pylist(problems), folder / "problems.parquet")


def problem_row(problem_id: str, **more: Any) -> dict[str, Any]:
    """A row of ``problems.parquet``."""
    question = more.get("question", "What is 1 + 1?")
    return {
        "problem_id": problem_id,
        "split": "train",
        "domain": "math",
        "category": "sums",
        "prior_pass_rate": 0.5,
        "question": question,
        "messages": json.dumps([{"role": "user", "content": question}]),
        "reference": json.dumps("2"),
        "images": "[]",
        **more,
    }
