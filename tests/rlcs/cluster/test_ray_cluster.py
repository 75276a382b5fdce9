"""The cluster: what a user is told when there is none."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import ray
from shared_cluster import SharedCluster

from rlcs.cluster import ray_cluster
from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import HardwareSection
from rlcs.errors import EngineError


def test_a_ray_that_does_not_start_is_told(tmp_path: Path, monkeypatch) -> None:
    """Ray's sockets cannot lie under so long a path."""
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(EngineError, match="Ray did not start on this machine"):
        start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))


@pytest.mark.long
def test_a_ray_that_is_late_once_is_started_again(monkeypatch) -> None:
    start, tries = ray_cluster._init_local, []

    def start_at_second_try(needs: Needs) -> None:
        tries.append(needs)
        if len(tries) == 1:
            raise RuntimeError("The current node timed out during startup.")
        start(needs)

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
