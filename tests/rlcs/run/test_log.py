"""The log of a run: what a kill or a resume leaves of it, and what its rows hold."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from made_groups import make_group

from curricula import Fate
from rlcs.config import TrackingSection
from rlcs.errors import PackageMissingError, ResumeError
from rlcs.run.batch import Batch
from rlcs.run.log import RunLog, flatten_numbers, group_row
from rlcs.run.trackers import check_packages
from rlcs.training.step_row import Stopwatch, step_row
from rlcs.types import FinishReason, StepReport

QUIET = TrackingSection(tensorboard=False)


def write_steps(log: RunLog, *steps: int) -> None:
    for step in steps:
        log.write_groups(step, [make_group()], {"a": Fate.TRAINED})
        log.write_rollouts(step, [make_group()])
        log.write_step(step, {"step": step})


def read_steps(folder: Path) -> list[int]:
    lines = (folder / "log" / "steps.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def open_log(folder: Path, position: dict[str, int] | None = None, steps_done: int = 0) -> RunLog:
    return RunLog(folder, QUIET, position=position or {}, steps_done=steps_done)


def test_a_resumed_log_goes_on_at_its_position(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    write_steps(log, 1, 2)
    position = log.position()
    expected = (tmp_path / "log" / "groups.jsonl").read_bytes()
    write_steps(log, 3, 4)
    log.close()
    with (tmp_path / "log" / "steps.jsonl").open("a") as file:
        file.write('{"step": 5, "cut of')  # killed while writing

    resumed = open_log(tmp_path, position, steps_done=2)
    assert read_steps(tmp_path) == [1, 2]
    assert (tmp_path / "log" / "groups.jsonl").read_bytes() == expected
    assert sorted(path.name for path in (tmp_path / "rollouts").iterdir()) == [
        "step_000001.parquet",
        "step_000002.parquet",
    ]
    write_steps(resumed, 3)
    resumed.close()
    assert read_steps(tmp_path) == [1, 2, 3]


def test_every_row_is_on_disk_when_it_was_written(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for step in (1, 2):
        write_steps(log, step)
        assert read_steps(tmp_path) == list(range(1, step + 1))
    log.close()


def test_half_a_rollout_file_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "rollouts" / "step_000001.parquet.partial").write_bytes(b"PAR1")
    log = open_log(tmp_path)
    write_steps(log, 1)
    log.close()
    assert [path.name for path in (tmp_path / "rollouts").iterdir()] == ["step_000001.parquet"]


def test_a_log_shorter_than_its_checkpoint_says_is_refused(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    write_steps(log, 1)
    position = log.position()
    log.close()
    (tmp_path / "log" / "steps.jsonl").write_text("")
    with pytest.raises(ResumeError, match=r"expected at least \d+ bytes in .*steps.jsonl.*found 0"):
        open_log(tmp_path, position, steps_done=1)


def test_rollouts_hold_every_completion(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.write_rollouts(1, [make_group("a", "cwe"), make_group("b", "ww")])
    log.close()
    rows = pq.read_table(tmp_path / "rollouts" / "step_000001.parquet").to_pylist()
    assert [(row["problem_id"], row["index"]) for row in rows] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
        ("b", 0),
        ("b", 1),
    ]
    assert [row["reward"] for row in rows] == [1.0, 0.0, None, 0.0, 0.0]
    assert [row["outcome"] for row in rows[:3]] == ["correct", "wrong", "error"]
    assert rows[0]["text"] == "<answer>\n2 \u2028 é"
    assert rows[0]["mean_logprob"] == -1.0


def test_a_groups_row_keeps_our_failures_apart() -> None:
    row = group_row(3, make_group(outcomes="ccwe"), Fate.SURPLUS)
    assert (row["passes"], row["attempts"], row["errors"], row["fate"]) == (2, 3, 1, "surplus")
    assert row["tokens"] == 12
    assert json.loads(json.dumps(row)) == row


def test_a_steps_row_measures_what_was_judged() -> None:
    drawn = [
        make_group("a", "cwe"),
        make_group("b", "cc", category="products", finish=FinishReason.LENGTH),
        make_group("d", "ee", category="broken"),
    ]
    fates = {"a": Fate.TRAINED, "b": Fate.INVALID, "d": Fate.ERRORED}
    report = {
        "grad_norm": 1.0,
        "learning_rate": 1e-3,
        "num_padded_tokens": 10,
        "clip_fraction": 0.0,
        "mean_abs_log_ratio": 0.0,
        "entropy": 1.0,
    }
    reports = [
        StepReport(loss=0.5, num_samples=2, num_loss_tokens=4, **report),
        StepReport(loss=1.5, num_samples=3, num_loss_tokens=6, **report),
    ]
    watch = Stopwatch()
    with watch.measure("learn"):
        pass
    batch = Batch(
        step=1,
        drawn=drawn,
        candidates=drawn,
        fates=fates,
        curriculum={"valid_rate": 0.5},
        seconds={"rollout": 0.1},
    )
    row = step_row(
        batch,
        trained=batch.with_fate(Fate.TRAINED),
        version_before=5,
        version_after=6,
        reports=reports,
        watch=watch,
    )
    assert row["policy_version"] == 6
    assert row["staleness"] == {"mean": 5, "max": 5}
    assert row["groups"] == {"trained": 1, "invalid": 1, "errored": 1}
    assert (row["completions"], row["errors"], row["tokens"]) == (7, 3, 21)
    assert row["pass_rate"] == 3 / 4
    assert row["passes_by_category"] == {"products": 1.0, "sums": 0.5}, "nothing judged: no rate"
    assert row["truncated"] == row["forced"] == 2 / 7
    assert (row["learner"]["loss"], row["learner"]["num_samples"]) == (1.0, 5)
    assert row["seconds"].keys() == {"rollout", "learn", "step"}
    assert json.loads(json.dumps(row)) == row


def test_a_step_without_anything_has_no_shares() -> None:
    batch = Batch(step=1, drawn=[], candidates=[], fates={}, curriculum={}, seconds={})
    row = step_row(
        batch, trained=[], version_before=0, version_after=0, reports=[], watch=Stopwatch()
    )
    assert [row[name] for name in ("pass_rate", "reward", "truncated", "forced")] == [None] * 4
    assert row["learner"] == row["staleness"] == {}
    assert "NaN" not in json.dumps(row)


def test_numbers_are_flattened_for_the_trackers() -> None:
    row = {"step": 1, "learner": {"loss": 0.5}, "done": True, "pass_rate": None, "name": "x"}
    assert flatten_numbers(row) == {"step": 1.0, "learner/loss": 0.5}


def test_tensorboard_gets_the_numbers_of_each_step(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = RunLog(tmp_path, TrackingSection(tensorboard=True), position={}, steps_done=0)
    log.write_step(1, {"step": 1, "learner": {"loss": 0.5}})
    log.write_step(2, {"step": 2, "learner": {"loss": 0.25}})
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    scalars = [(event.step, event.value) for event in events.Scalars("learner/loss")]
    assert scalars == [(1, 0.5), (2, 0.25)]


def test_a_missing_package_is_named_with_its_key_and_command() -> None:
    check_packages(QUIET)
    with pytest.raises(PackageMissingError, match=r"tracking.trackio_project.*rlcs\[trackio\]"):
        check_packages(TrackingSection(tensorboard=False, trackio_project="x"))
