"""The cluster: what a user is told when there is none."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from rlcs.cluster import start_cluster
from rlcs.cluster_sections import HardwareSection
from rlcs.errors import EngineError
from rlcs.placement import Needs


def test_a_ray_that_does_not_start_is_told(tmp_path: Path, monkeypatch) -> None:
    """Ray's sockets cannot lie under so long a path."""
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(EngineError, match="Ray did not start on this machine"):
        start_cluster(HardwareSection(device="cpu"), Needs(num_engines=1, num_ranks=0))
