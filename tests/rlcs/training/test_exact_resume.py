"""A run that was killed while saving, and interrupted, equals one that nothing disturbed."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.numpy import load_file
from workshop import NUM_STEPS, SAVE_EVERY, Workshop, num_lines, read_jsonl, wait_for_end

from rlcs.cli.main import main
from rlcs.run.checkpoint import Checkpoints, read_state

pytestmark = pytest.mark.long

TIMES = ("time", "seconds", "tokens_per_second")
"""Keys of a step's row that a clock fills in."""


@dataclass(frozen=True)
class DisturbedRun:
    """What was seen of a run between its interruptions."""

    folder: Path
    steps_logged_at_kill: int
    after_kill: list[str]
    """Names in ``checkpoints/`` when the driver was killed within a save."""
    latest_after_kill: str
    resumed: str
    """What the session after that printed."""
    interrupted_status: int
    after_interrupt: list[str]
    last: str
    """What the last session printed."""
    agents: list[psutil.Process]
    """Ray's agents of the killed session, which look for their cluster a while longer."""


@pytest.fixture(scope="module")
def disturbed_run(workshop: Workshop) -> DisturbedRun:
    """The run of ``config.yaml`` in three sessions, of which two did not end by themselves."""
    folder = workshop.run_folder("disturbed")
    checkpoints, steps = folder / "checkpoints", folder / "log" / "steps.jsonl"

    # Killed in its second save, the moment that folder appears: steps after the first save, which
    # is the last whole one, are logged.
    first = workshop.start("train", workshop.config, "run.name=disturbed")
    partial = checkpoints / f"step_{2 * SAVE_EVERY:06d}.partial"
    first.wait_for(partial.exists)
    first.send(signal.SIGKILL)
    assert first.finish() == -signal.SIGKILL
    after_kill, logged = names(checkpoints), num_lines(steps)
    latest = Checkpoints(checkpoints, keep=1).latest()

    # Ctrl-C, as a terminal sends it: to the driver and all it has started.
    second = workshop.start("train", "--resume", folder, "run.save_every=100")
    second.wait_for(lambda: num_lines(steps) > 2 * SAVE_EVERY)
    second.send(signal.SIGINT, whole_group=True)
    status = second.finish()
    after_interrupt = names(checkpoints)

    last = workshop.call("train", "--resume", folder, f"run.save_every={SAVE_EVERY}")
    return DisturbedRun(
        folder=folder,
        steps_logged_at_kill=logged,
        after_kill=after_kill,
        latest_after_kill=latest.name if latest else "",
        resumed=second.text(),
        interrupted_status=status,
        after_interrupt=after_interrupt,
        last=last,
        agents=first.agents,
    )


def test_the_kill_hit_the_second_save(disturbed_run: DisturbedRun) -> None:
    assert disturbed_run.after_kill == ["best.json", "step_000003", "step_000006.partial"]
    assert disturbed_run.steps_logged_at_kill == 2 * SAVE_EVERY


def test_no_process_outlives_a_killed_driver(disturbed_run: DisturbedRun) -> None:
    assert len(disturbed_run.agents) == 2
    assert wait_for_end(disturbed_run.agents, 120) == []  # all others: Command.finish


def test_an_incomplete_checkpoint_is_never_loaded(disturbed_run: DisturbedRun) -> None:
    assert disturbed_run.latest_after_kill == "step_000003"
    assert "after step 3" in disturbed_run.resumed
    assert not list((disturbed_run.folder / "checkpoints").glob("*.partial"))


def test_ctrl_c_saves_and_says_how_to_resume(disturbed_run: DisturbedRun) -> None:
    assert disturbed_run.interrupted_status == 130
    said = disturbed_run.resumed
    assert "stopping after this step" in said
    assert f"rlcs train --resume {disturbed_run.folder}" in said
    assert "Traceback" not in said
    saved = disturbed_run.after_interrupt[-1]
    assert f"stopped after step {int(saved.removeprefix('step_'))} and saved" in said
    assert f"resuming {disturbed_run.folder} after step {int(saved[-6:])}" in disturbed_run.last
    assert "changed: run.save_every: 100 -> 3" in disturbed_run.last


def test_draws_and_fates_are_equal(whole_run: Path, disturbed_run: DisturbedRun) -> None:
    expected = (whole_run / "log" / "groups.jsonl").read_text()
    assert (disturbed_run.folder / "log" / "groups.jsonl").read_text() == expected
    assert {"problem_id", "draw_probability", "tier", "fate"} <= read_first(whole_run, "groups")


def test_losses_and_curriculum_are_equal(whole_run: Path, disturbed_run: DisturbedRun) -> None:
    expected = [without_times(row) for row in read_jsonl(whole_run / "log" / "steps.jsonl")]
    found = read_jsonl(disturbed_run.folder / "log" / "steps.jsonl")
    assert [without_times(row) for row in found] == expected
    assert len(expected) == NUM_STEPS
    assert all(row["learner"]["grad_norm"] > 0 for row in expected)


def test_texts_and_rewards_are_equal(whole_run: Path, disturbed_run: DisturbedRun) -> None:
    files = sorted(path.name for path in (whole_run / "rollouts").iterdir())
    assert len(files) == NUM_STEPS
    assert sorted(path.name for path in (disturbed_run.folder / "rollouts").iterdir()) == files
    for name in files:
        expected = read_rollouts(whole_run / "rollouts" / name)
        assert read_rollouts(disturbed_run.folder / "rollouts" / name) == expected
        assert {"text", "reward", "outcome", "mean_logprob"} <= expected[0].keys()


def test_final_weights_are_equal_bit_for_bit(
    whole_run: Path, disturbed_run: DisturbedRun, workshop: Workshop
) -> None:
    expected, found = last_weights(whole_run), last_weights(disturbed_run.folder)
    untrained = load_file(workshop.model / "model.safetensors")
    assert expected.keys() == found.keys() == untrained.keys()
    for name, array in expected.items():
        assert array.tobytes() == found[name].tobytes(), name
    assert any((expected[name] != untrained[name]).any() for name in expected)


def test_summaries_are_equal(whole_run: Path, disturbed_run: DisturbedRun) -> None:
    expected, found = read_summary(whole_run), read_summary(disturbed_run.folder)
    assert expected.pop("seconds") > 0
    assert found.pop("seconds") > 0
    assert found == expected


def test_the_state_of_the_trainer_is_equal(whole_run: Path, disturbed_run: DisturbedRun) -> None:
    expected, found = last_state(whole_run), last_state(disturbed_run.folder)
    for name in ("steps_done", "policy_version", "best_accuracy", "best_step", "num_tokens"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.curriculum["rng"] == expected.curriculum["rng"]
    assert [group.problem for group in found.carried] == [g.problem for g in expected.carried]


def test_other_problems_are_refused(
    whole_run: Path, workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = tmp_path / "run", workshop.folder / "train.jsonl"
    shutil.copytree(whole_run, run)
    rows = data.read_bytes()
    data.write_bytes(b"\n".join(rows.splitlines()[:-1]) + b"\n")
    try:
        assert main(["train", "--resume", str(run), "run.num_steps=20"]) == 2
    finally:
        data.write_bytes(rows)
    said = capsys.readouterr().err
    assert "the problems are not those this run was started with" in said
    assert "39" in said
    assert "38" in said
    assert "Traceback" not in said
    assert (run / "config.resolved.yaml").read_text().count("num_steps: 9") == 1


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in TIMES}


def read_first(run: Path, name: str) -> set[str]:
    return set(read_jsonl(run / "log" / f"{name}.jsonl")[0])


def read_rollouts(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return [{k: v for k, v in row.items() if k != "verifier_seconds"} for row in rows]


def last_weights(run: Path) -> dict[str, Any]:
    path = run / "checkpoints" / f"step_{NUM_STEPS:06d}" / "model" / "model.safetensors"
    weights: dict[str, Any] = load_file(path)
    return weights


def last_state(run: Path) -> Any:
    return read_state(run / "checkpoints" / f"step_{NUM_STEPS:06d}")


def read_summary(run: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((run / "summary.json").read_text())
    return summary
