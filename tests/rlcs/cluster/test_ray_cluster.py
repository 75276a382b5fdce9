"""The cluster: what a user is told when there is none."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from rlcs import cluster
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
    start, tries = cluster._init_local, []

    def start_at_second_try(needs: Needs) -> None:
        tries.append(needs)
        if len(tries) == 1:
            raise RuntimeError("The current node timed out during startup.")
        start(needs)

    monkeypatch.setattr(cluster, "_init_local", start_at_second_try)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))
    stop_cluster()
    assert len(tries) == 2
