"""The files a run leaves behind, which the dashboard, notebooks and ``rlcs simulate`` read.

``log/steps.jsonl`` has a row for each step, ``log/groups.jsonl`` one for each drawn problem
with its fate, ``rollouts/step_*.parquet`` every completion. Numbers and some completions also go
to TensorBoard, Weights & Biases and other services where configured.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from curricula import Fate
from rewards.shown import shown, shown_line
from rlcs.config import TrackingSection
from rlcs.errors import ResumeError, StorageError
from rlcs.files import whole, writing
from rlcs.run.samples import samples_of
from rlcs.run.trackers import make_trackers
from rlcs.types import Completion, RolloutGroup

LOG_FILES = ("steps", "groups")


class RunLog:
    """Appends to the log of one run folder; use it as a context."""

    def __init__(
        self, folder: Path, tracking: TrackingSection, *, position: dict[str, int], steps_done: int
    ) -> None:
        """Open the log at ``position``; what an interrupted run wrote beyond it is removed.

        Raises:
            StorageError: as every method, where the disk does not take what is written.
        """
        self.folder = folder
        self._files: dict[str, IO[bytes]] = {}
        with self._writing("the log"):
            (folder / "log").mkdir(parents=True, exist_ok=True)
            (folder / "rollouts").mkdir(exist_ok=True)
            for name in LOG_FILES:
                path = folder / "log" / f"{name}.jsonl"
                _cut(path, position.get(name, 0))
                # Without a buffer: what a full disk did not take would be tried again on closing.
                self._files[name] = path.open("ab", buffering=0)
            for path in (folder / "rollouts").glob("step_*.parquet"):
                step = path.stem.removeprefix("step_")
                if step.isdecimal() and int(step) > steps_done:
                    path.unlink()
            self._trackers = make_trackers(tracking, folder, steps_done)

    def write_step(self, step: int, row: dict[str, Any]) -> None:
        """Write a row of ``steps.jsonl``, and send its numbers to the trackers."""
        self._append("steps", row)
        with self._writing("the numbers for the trackers"):
            for tracker in self._trackers:
                tracker.log(step, flatten_numbers(row))

    def write_groups(
        self, step: int, groups: Sequence[RolloutGroup], fates: dict[str, Fate]
    ) -> None:
        """Write a row of ``groups.jsonl`` for each group that could be selected.

        A group carried over has a row in each of its steps; the last one says what became of it.
        """
        for group in groups:
            self._append("groups", group_row(step, group, fates[group.problem.problem_id]))

    def write_rollouts(self, step: int, groups: Sequence[RolloutGroup]) -> None:
        """Write every completion sampled in the step into ``rollouts``; trackers are sent some."""
        with self._writing(f"the completions of step {step}"):
            write_rollouts(self.folder / "rollouts" / f"step_{step:06d}.parquet", step, groups)
        samples = samples_of(step, groups) if self._trackers else None
        if samples is not None:
            with self._writing("the completions for the trackers"):
                for tracker in self._trackers:
                    tracker.show(samples)

    def position(self) -> dict[str, int]:
        """The bytes written to each file, all of which are on disk when this returns."""
        with self._writing("the log"):
            for file in self._files.values():
                os.fsync(file.fileno())
            return {
                name: (self.folder / "log" / f"{name}.jsonl").stat().st_size for name in LOG_FILES
            }

    def close(self) -> None:
        """Close everything."""
        with self._writing("the log"):
            for file in self._files.values():
                file.close()
        with self._writing("the numbers for the trackers"):
            for tracker in self._trackers:
                tracker.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except StorageError:
            if not isinstance(error, StorageError):  # the first error of a disk is the one to tell
                raise

    def _append(self, name: str, row: dict[str, Any]) -> None:
        left = memoryview((shown(json.dumps(row, ensure_ascii=False)) + "\n").encode())
        with self._writing(f"a row of {name}.jsonl"):
            while left:  # a disk that becomes full takes a part and tells it of the next
                left = left[self._files[name].write(left) :]

    def _writing(self, what: str) -> AbstractContextManager[None]:
        return writing(what, self.folder)


def append_row(folder: Path, name: str, row: dict[str, Any]) -> None:
    """Append a row to ``log/NAME.jsonl``, a log that has the rows of every session.

    Raises:
        StorageError: the disk does not take it.
    """
    with writing(f"a row of {name}.jsonl", folder):
        (folder / "log").mkdir(parents=True, exist_ok=True)
        with (folder / "log" / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(shown(json.dumps(row, ensure_ascii=False)) + "\n")


def _cut(path: Path, position: int) -> None:
    """Remove what lies beyond ``position``; raises ResumeError when less is there."""
    path.touch()
    if (size := path.stat().st_size) < position:
        raise ResumeError(
            f"expected at least {position} bytes in {path}, which the checkpoint counts as "
            f"written, found {size}: the log was changed or lost. Put it back as it was."
        )
    os.truncate(path, position)


def group_row(step: int, group: RolloutGroup, fate: Fate) -> dict[str, Any]:
    """A group as ``groups.jsonl`` holds it."""
    attempts = int(group.graded.sum())
    return {
        "step": step,
        "problem_id": group.problem.problem_id,
        "domain": group.problem.domain,
        "category": group.problem.category,
        "tier": group.tier,
        "draw_probability": group.draw_probability,
        "passes": int(group.passed.sum()),
        "attempts": attempts,
        "errors": len(group.verdicts) - attempts,
        "tokens": group.num_tokens,
        "fate": fate.value,
    }


def write_rollouts(path: Path, step: int, groups: Sequence[RolloutGroup]) -> None:
    """Write every completion of a step as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    every = [
        (group, index, *each)
        for group in groups
        for index, each in enumerate(
            zip(group.completions, group.verdicts, group.rewards, group.passed, strict=True)
        )
    ]
    # A column at a time: a step of thousands of completions is written in milliseconds.
    completions = [row[2] for row in every]
    verdicts = [row[3] for row in every]
    columns = {
        "step": [step] * len(every),
        "problem_id": [group.problem.problem_id for group, *_ in every],
        "index": [row[1] for row in every],
        "text": [completion.text for completion in completions],
        "reward": [None if math.isnan(row[4]) else float(row[4]) for row in every],
        "passed": [bool(row[5]) for row in every],
        "outcome": [verdict.outcome.value for verdict in verdicts],
        "score": [verdict.score for verdict in verdicts],
        "extracted": [verdict.extracted for verdict in verdicts],
        "detail": [verdict.detail for verdict in verdicts],
        "verifier_seconds": [verdict.seconds for verdict in verdicts],
        "prompt_tokens": [len(group.prompt.token_ids) for group, *_ in every],
        "completion_tokens": [len(completion.token_ids) for completion in completions],
        "finish_reason": [completion.finish_reason.value for completion in completions],
        "forced": [completion.forced for completion in completions],
        "policy_version": [completion.policy_version for completion in completions],
        "last_policy_version": [completion.last_policy_version for completion in completions],
        "mean_logprob": [_mean_logprob(each) for each in completions],
    }
    with whole(path) as partial:
        pq.write_table(pa.table(columns), partial)


def _mean_logprob(completion: Completion) -> float:
    """Of the tokens that were sampled."""
    mask = completion.loss_mask
    return float(np.dot(completion.logprobs, mask) / max(1, np.count_nonzero(mask)))


def flatten_numbers(row: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a nested row under names such as ``learner/loss``."""
    numbers: dict[str, float] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            numbers.update(flatten_numbers(value, f"{prefix}{name}/"))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers[shown_line(f"{prefix}{name}")] = float(value)
    return numbers
