"""A node that is lost with a rank: the run waits for another one, or says how it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from ray.cluster_utils import Cluster
from workshop import NUM_STEPS, Workshop, assert_counts_add_up, num_lines, read_jsonl

pytestmark = pytest.mark.stress

OVERRIDES = ("data.heldout=[]", "evaluation.every_steps=null")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes of one CPU each, which the run's engine and rank fill."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.mark.parametrize("comes_back", [True, False], ids=["another comes", "none comes"])
def test_a_lost_node_is_waited_for(comes_back: bool, workshop: Workshop, cluster: Cluster) -> None:
    name = f"node_{'lost' if comes_back else 'gone'}"
    run = workshop.run_folder(name)
    seconds = 200 if comes_back else 8
    command = workshop.start(
        "train",
        workshop.config,
        f"run.name={name}",
        f"hardware.ray_address={cluster.address}",
        f"faults.wait_for_nodes_seconds={seconds}",
        *OVERRIDES,
    )
    command.wait_for(lambda: num_lines(run / "log" / "steps.jsonl") >= 4)
    (lost,) = [node for node in cluster.list_all_nodes() if node is not cluster.head_node]
    rank_on_it = has_rank(lost)
    cluster.remove_node(lost, allow_graceful=False)
    if not rank_on_it:  # the engine was on it: its replacement has no place, the rank goes next
        (rank,) = named(raylet_of(cluster.head_node), "ray::RankActor")
        rank.kill()
    command.wait_for(lambda: f"waiting for nodes, {seconds} s at most" in command.text())
    assert "there is no room for" in command.text()
    if not comes_back:
        assert command.finish() == 2
        said = command.text()
        assert "waited 8 s (faults.wait_for_nodes_seconds)" in said
        assert (
            f"The state of step_000003 is whole; go on from it: rlcs train --resume {run}" in said
        )
        assert "Traceback" not in said
        return
    cluster.add_node(num_cpus=1)
    assert command.finish() == 0, command.text()
    assert command.text().count("waiting for nodes") == 1
    assert_counts_add_up(run, NUM_STEPS)
    told = [row["what"] for row in read_jsonl(run / "log" / "faults.jsonl")]
    assert told[-1] == "a process of the run was lost:"


def has_rank(node: Any) -> bool:
    return bool(named(raylet_of(node), "ray::RankActor"))


def named(parent: psutil.Process, start: str) -> list[psutil.Process]:
    """The processes under ``parent`` whose names start so."""
    return [each for each in parent.children(recursive=True) if each.name().startswith(start)]


def raylet_of(node: Any) -> psutil.Process:
    return psutil.Process(node.all_processes["raylet"][0].process.pid)
