"""The cluster: what a user is told when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import ray
from ray.cluster_utils import Cluster
from shared_cluster import SharedCluster
from small_disk import small_disk
from workshop import environment

from rlcs.cluster import ray_cluster
from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import Patience, start_cluster, stop_cluster
from rlcs.config import HardwareSection
from rlcs.errors import EngineError

START = """
import ray
from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import HardwareSection
start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))
print("it answers", ray.get(ray.remote(lambda: 6 * 7).remote()))
stop_cluster()
"""
"""Starts Ray, which reads its settings when it is imported."""


def start_with(**changed: str | None) -> subprocess.CompletedProcess[str]:
    """Start a local cluster in a process of its own; None takes a variable away."""
    kept = {name: value for name, value in environment().items() if not name.startswith("RAY_")}
    settings = {name: value for name, value in {**kept, **changed}.items() if value is not None}
    command = [sys.executable, "-c", START]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=240)


@pytest.mark.long
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"TMPDIR": "deep"}, id="a temporary folder too deep for sockets"),
        pytest.param({"HOME": None}, id="no HOME", marks=pytest.mark.stress),
        pytest.param({"HOME": "/dev/null/home"}, id="a HOME that is missing"),
    ],
)
def test_ray_starts_where_its_own_choice_would_fail(
    changed: dict[str, str | None], tmp_path: Path
) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    named = {name: str(deep) if each == "deep" else each for name, each in changed.items()}
    started = start_with(**named)
    assert "it answers 42" in started.stdout, started.stderr
    assert list(deep.iterdir()) == []


@pytest.mark.stress  # it waits a minute for a Ray that does not come
def test_a_temporary_folder_without_room_is_named() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, small_disk(Path(folder), 64) as disk:
        started = start_with(TMPDIR=str(disk))
    said = started.stderr.splitlines()[-1]
    assert "Ray did not start on this machine" in said
    assert f"0.0 MiB free on the disk of {disk}/ray" in said


@pytest.mark.long
def test_a_ray_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(needs: Needs, folder: Path) -> None:
        raise RuntimeError("The current node timed out during startup.")

    monkeypatch.setattr(ray_cluster, "_init_local", refuse)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(EngineError, match=r"did not start.*timed out during startup\. Here are"):
        start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))


@pytest.mark.long
def test_a_ray_that_is_late_once_is_started_again(monkeypatch) -> None:
    start, tries = ray_cluster._init_local, []

    def start_at_second_try(needs: Needs, folder: Path) -> None:
        tries.append(needs)
        if len(tries) == 1:
            raise RuntimeError("The current node timed out during startup.")
        start(needs, folder)

    monkeypatch.setattr(ray_cluster, "_init_local", start_at_second_try)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))
    stop_cluster()
    assert len(tries) == 2


@pytest.mark.long
def test_the_shared_cluster_is_as_new_for_the_next_file(shared_cluster: SharedCluster) -> None:
    """The first driver leaves a killed actor and a hung one; the second needs all there is."""

    class Half:  # here, so that Ray takes it by value: actors cannot import this module
        def pid(self) -> int:
            return os.getpid()

        def hang(self) -> None:
            time.sleep(10**6)

    hardware = HardwareSection(device="cpu", ray_address=shared_cluster.address)
    for _ in range(2):
        plan = start_cluster(hardware, Needs(num_engines=4, num_ranks=4))
        try:
            options = {**plan.engine_options(0), "num_cpus": ray.cluster_resources()["CPU"] / 2}
            killed, hung = (ray.remote(Half).options(**options).remote() for _ in range(2))
            pids = ray.get([killed.pid.remote(), hung.pid.remote()], timeout=240)
            assert len(set(pids)) == 2, "both actors, which need all there is, came up"
            hung.hang.remote()
            psutil.Process(pids[0]).kill()
        finally:
            stop_cluster()


@pytest.mark.long
def test_nodes_that_were_lost_are_waited_for() -> None:
    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        lost = cluster.add_node(num_cpus=1)
        hardware = HardwareSection(device="cpu", ray_address=cluster.address)
        needs = Needs(num_engines=1, num_ranks=1)
        assert len(set(start_cluster(hardware, needs).placement.node_names)) == 2
        stop_cluster()

        cluster.remove_node(lost, allow_graceful=False)  # Ray itself takes it for alive a while
        lines: list[str] = []
        message = r"waited 3 s \(faults\.wait_for_nodes_seconds\) .* there is no room for engine 0"
        with pytest.raises(EngineError, match=message):
            start_cluster(hardware, needs, Patience(seconds=3, say=lines.append))
        assert [line.partition(":")[0] for line in lines] == ["waiting for nodes, 3 s at most"]
        assert not ray.is_initialized()

        def say(line: str) -> None:
            lines.append(line)
            cluster.add_node(num_cpus=1)

        plan = start_cluster(hardware, needs, Patience(seconds=120, say=say))
        assert len(set(plan.placement.node_names)) == 2
        assert len(lines) == 2
    finally:
        stop_cluster()
        cluster.shutdown()
