"""The overlapped schedule: bounded staleness, tokens with versions, nothing drawn twice or lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from workshop import Workshop, assert_counts_add_up, num_lines, read_jsonl

from rlcs.run.checkpoint import Checkpoints, read_state

pytestmark = pytest.mark.long

NUM_STEPS, MAX_STALENESS = 10, 2
OVERRIDES = (
    f"run.num_steps={NUM_STEPS}",
    "evaluation.every_steps=null",
    "rollout.num_actors=2",
    # Generating takes longer than learning: each version is published while completions go on.
    "rollout.max_thinking_tokens=60",
    "learner.micro_batch_tokens=512",
    "schedule.kind=overlapped",
    f"schedule.max_staleness={MAX_STALENESS}",
    "schedule.segment_tokens=4",
    "learner.correction.level=token",
    "learner.updates_per_step=2",
)


@dataclass(frozen=True)
class OverlappedRun:
    """A run that was interrupted once."""

    folder: Path
    ahead: list[int]
    """Steps collected and not learned from when it was interrupted."""
    steps: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    rollouts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(workshop: Workshop) -> OverlappedRun:
    folder = workshop.run_folder("overlapped")
    steps = folder / "log" / "steps.jsonl"
    session = ("train", workshop.config, "run.name=overlapped", *OVERRIDES)
    workshop.interrupt(lambda: num_lines(steps) >= 4, *session)
    latest = Checkpoints(folder / "checkpoints", keep=1).latest()
    assert latest is not None
    ahead = [batch.step for batch in read_state(latest).ahead]
    workshop.call("train", "--resume", folder)
    files = sorted((folder / "rollouts").iterdir())
    return OverlappedRun(
        folder=folder,
        ahead=ahead,
        steps=read_jsonl(steps),
        groups=read_jsonl(folder / "log" / "groups.jsonl"),
        rollouts=[row for path in files for row in pq.read_table(path).to_pylist()],
    )


def test_what_was_collected_ahead_is_saved(run: OverlappedRun) -> None:
    assert run.ahead
    first = run.ahead[0]
    assert run.ahead == list(range(first, first + len(run.ahead)))
    assert len(run.ahead) <= MAX_STALENESS


def test_nothing_is_drawn_twice_or_lost(run: OverlappedRun) -> None:
    assert_counts_add_up(run.folder, NUM_STEPS)
    assert all(row["groups"].get("trained", 0) <= 6 for row in run.steps)


def test_staleness_is_bounded_and_logged(run: OverlappedRun) -> None:
    before = 0
    for row in run.steps:
        if row["staleness"]:
            # A group carried over is a step older than those of its step.
            assert 0 <= row["staleness"]["mean"] <= row["staleness"]["max"] <= MAX_STALENESS + 1
        oldest = [each["policy_version"] for each in run.rollouts if each["step"] == row["step"]]
        assert all(before - version <= MAX_STALENESS for version in oldest)
        before = row["policy_version"]
    assert max(row["staleness"].get("max", 0) for row in run.steps) >= 1
    assert run.steps[0]["staleness"]["max"] == 0


def test_long_completions_go_on_under_newer_weights(run: OverlappedRun) -> None:
    assert all(row["last_policy_version"] >= row["policy_version"] for row in run.rollouts)
    assert any(row["last_policy_version"] > row["policy_version"] for row in run.rollouts)


def test_the_mismatch_is_measured(run: OverlappedRun) -> None:
    learned = [row["learner"] for row in run.steps if row["learner"]]
    assert all(np.isfinite(row["mismatch"]) and row["mismatch"] >= 0 for row in learned)
    assert all(0 <= row["corrected_fraction"] <= 1 for row in learned)
    assert max(row["mismatch"] for row in learned) > 1e-6, "older weights drew some tokens"
