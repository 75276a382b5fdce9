"""Whole runs that lose actors, a node and a rank, and equal one that nothing disturbed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from ray.cluster_utils import Cluster
from safetensors.numpy import load_file
from workshop import Command, Workshop, assert_counts_add_up, num_lines, read_jsonl

pytestmark = pytest.mark.stress

NUM_STEPS, NUM_KILLS = 30, 20
OVERRIDES = (
    f"run.num_steps={NUM_STEPS}",
    "run.save_every=12",
    "run.keep_checkpoints=1",
    "evaluation.every_steps=null",
    "rollout.num_actors=2",
)
TIMES = ("time", "seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def calm_run(workshop: Workshop) -> Path:
    """The run that the disturbed ones must equal."""
    workshop.call("train", workshop.config, "run.name=calm", *OVERRIDES)
    return workshop.run_folder("calm")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Four nodes of one CPU each: one more than the processes of the run need."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    for _ in range(3):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


def test_random_kills_of_actors_change_nothing(calm_run: Path, workshop: Workshop) -> None:
    run = workshop.run_folder("killed")
    command = workshop.start("train", workshop.config, "run.name=killed", *OVERRIDES)
    driver = psutil.Process(command.process.pid)
    draw = random.Random(7)
    victims: set[int] = set()
    for step in sorted(draw.sample(range(NUM_STEPS - 1), NUM_KILLS)):
        command.wait_for(lambda step=step: num_lines(run / "log" / "steps.jsonl") >= step)
        victim = draw.choice(wait_for_processes(command, driver, "ray::RolloutActor", but=victims))
        victims.add(victim.pid)
        victim.kill()
    assert command.finish() == 0, command.text()
    assert len(victims) == NUM_KILLS
    assert_equal_runs(run, calm_run)
    faults = read_jsonl(run / "log" / "faults.jsonl")
    # One that dies while it starts has no pid yet, and one may die after its last answer.
    assert {row["pid"] for row in faults} <= victims | {None}
    assert NUM_KILLS - 2 <= len(faults) <= NUM_KILLS
    assert [problem for row in faults for problem in row["problem_ids"]], "killed at work"
    assert "Traceback" not in command.text()


def test_the_loss_of_a_node_and_of_a_rank(
    calm_run: Path, workshop: Workshop, cluster: Cluster
) -> None:
    run = workshop.run_folder("unlucky")
    address = f"hardware.ray_address={cluster.address}"
    command = workshop.start("train", workshop.config, "run.name=unlucky", address, *OVERRIDES)
    steps, faults = run / "log" / "steps.jsonl", run / "log" / "faults.jsonl"

    command.wait_for(lambda: num_lines(steps) >= 4)
    raylets = {raylet_of(node): node for node in cluster.worker_nodes}
    actors = [named(raylet, "ray::RolloutActor") for raylet in raylets]
    lost = next(raylet for raylet, found in zip(raylets, actors, strict=True) if found)
    cluster.remove_node(raylets[lost], allow_graceful=False)
    command.wait_for(faults.exists)

    command.wait_for(lambda: num_lines(steps) >= 14)
    (rank,) = [
        process
        for node in cluster.list_all_nodes()
        for process in named(raylet_of(node), "ray::RankActor")
    ]
    rank.kill()
    assert command.finish() == 0, command.text()
    assert_equal_runs(run, calm_run)
    told = [row["what"] for row in read_jsonl(faults)]
    assert told[0].startswith("rollout actor ")
    assert told[-1] == "a process of the run was lost:"
    assert "Going on from step_000012; 3 restarts are left" in command.text()


def test_a_run_that_loses_its_rank_again_and_again_ends(workshop: Workshop) -> None:
    command = workshop.start(
        "train", workshop.config, "run.name=hopeless", "faults.max_restarts=1", *OVERRIDES
    )
    driver = psutil.Process(command.process.pid)
    for sitting in (1, 2):
        command.wait_for(lambda sitting=sitting: command.text().count("step 1/") == sitting)
        wait_for_processes(command, driver, "ray::RankActor")[0].kill()
    assert command.finish() == 2
    said = command.text()
    assert "Going on from the beginning; 1 restarts are left" in said
    assert "rlcs: error: the learner ranks" in said
    assert "Traceback" not in said


def test_losses_in_the_overlapped_schedule(workshop: Workshop) -> None:
    run = workshop.run_folder("hurried")
    schedule = ("schedule.kind=overlapped", "schedule.max_staleness=2", "schedule.segment_tokens=4")
    command = workshop.start("train", workshop.config, "run.name=hurried", *OVERRIDES, *schedule)
    driver = psutil.Process(command.process.pid)
    victims: set[int] = set()
    losses = [(2, "RolloutActor"), (6, "RolloutActor"), (14, "RankActor"), (16, "RolloutActor")]
    for step, who in losses:
        command.wait_for(lambda step=step: num_lines(run / "log" / "steps.jsonl") >= step)
        victim = wait_for_processes(command, driver, f"ray::{who}", but=victims)[0]
        victims.add(victim.pid)
        victim.kill()
    assert command.finish() == 0, command.text()
    assert "Traceback" not in command.text()
    assert "Going on from step_000012; 3 restarts are left" in command.text()
    assert_counts_add_up(run, NUM_STEPS)


def named(parent: psutil.Process, start: str) -> list[psutil.Process]:
    """The processes under ``parent`` whose names start so."""
    found = []
    for process in parent.children(recursive=True):
        try:
            if process.name().startswith(start):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_for_processes(
    command: Command, driver: psutil.Process, start: str, *, but: set[int] = frozenset()
) -> list[psutil.Process]:
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [process for process in named(driver, start) if process.pid not in but]
        return bool(found)

    command.wait_for(look)
    return found


def raylet_of(node: Any) -> psutil.Process:
    return psutil.Process(node.all_processes["raylet"][0].process.pid)


def assert_equal_runs(run: Path, calm: Path) -> None:
    """The same draws, fates, losses, texts and weights."""
    groups = (calm / "log" / "groups.jsonl").read_text()
    assert (run / "log" / "groups.jsonl").read_text() == groups
    assert steps_of(run) == steps_of(calm)
    assert len(steps_of(run)) == NUM_STEPS
    for path in sorted((calm / "rollouts").iterdir()):
        assert rollouts_of(run / "rollouts" / path.name) == rollouts_of(path)
    found, expected = weights_of(run), weights_of(calm)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert array.tobytes() == found[name].tobytes(), name


def steps_of(run: Path) -> list[dict[str, Any]]:
    rows = read_jsonl(run / "log" / "steps.jsonl")
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def rollouts_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return [{k: v for k, v in row.items() if k != "verifier_seconds"} for row in rows]


def weights_of(run: Path) -> dict[str, Any]:
    path = run / "checkpoints" / f"step_{NUM_STEPS:06d}" / "model" / "model.safetensors"
    weights: dict[str, Any] = load_file(path)
    return weights
