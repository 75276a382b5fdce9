"""How much memory GPUs have: told by the driver's tool, of which a stand-in answers here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from workshop import environment

from rlcs.cluster.gpu_memory import MIB, assumed_nodes, smallest_gpu

ASK = """
import ray
from rlcs.cluster.ray_cluster import cluster_nodes, with_gpu_memory
ray.init(num_cpus=1, num_gpus=2, include_dashboard=False)
print("told", [node.gpu_bytes for node in with_gpu_memory(cluster_nodes())])
"""


def stand_in(folder: Path, script: str) -> str:
    """A PATH on which ``nvidia-smi`` is ``script``."""
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("echo '81920, 658'; echo '40960, 500'", 40460 * MIB, id="the smallest counts"),
        pytest.param("echo '[N/A], [N/A]'", None, id="a GPU without memory of its own"),
        pytest.param("echo 'No devices were found'", None, id="no GPU"),
        pytest.param("exit 9", None, id="a driver that does not answer"),
    ],
)
def test_the_driver_is_asked(script, expected, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", stand_in(tmp_path, script))
    assert smallest_gpu() == expected


def test_a_machine_without_the_tool(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert smallest_gpu() is None


@pytest.mark.long
def test_each_node_is_asked(tmp_path) -> None:
    path = stand_in(tmp_path, "echo '24576, 100'")
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert f"told [{24476 * MIB}]" in asked.stdout, asked.stderr


@pytest.mark.parametrize(
    ("shape", "nodes", "gpus", "gib"),
    [
        pytest.param("4x8x80", 4, 8, 79.2, id="four nodes"),
        pytest.param("1x80", 1, 1, 79.2, id="one GPU"),
        pytest.param("8x40", 1, 8, 39.6, id="one node"),
    ],
)
def test_assumed_nodes(shape, nodes, gpus, gib) -> None:
    assumed = assumed_nodes(shape)
    assert [node.gpus for node in assumed] == [gpus] * nodes
    assert {node.gpu_bytes for node in assumed} == {round(gib * 2**30)}
    assert len({node.name for node in assumed}) == nodes


@pytest.mark.parametrize(
    "shape", ["80", "0x80", "8x80GB", "2x8x80x1", "8 x 80", "", "x80", "-1x80"]
)
def test_shapes_that_are_none(shape) -> None:
    with pytest.raises(ValueError, match="such as 4x8x80"):
        assumed_nodes(shape)
