"""How much memory GPUs have: asked of a machine's driver, or assumed of machines to come."""

from __future__ import annotations

import re
import subprocess

from rlcs.cluster.placement import Node

QUERY = ["nvidia-smi", "--query-gpu=memory.total,memory.reserved", "--format=csv,noheader,nounits"]
"""The driver's own tool: it sees all GPUs of a node, whoever uses them, and makes no context."""

MIB = 2**20
NAMED_SHARE = 0.99
"""What programs can have of a GPU's memory in its name: 79.2 GiB of an A100 with 80."""

SHAPE = re.compile(r"(?:([1-9][0-9]{0,3})x)?([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")


def smallest_gpu() -> int | None:
    """Bytes that programs can have of this machine's smallest GPU; None if it cannot be told."""
    try:
        done = subprocess.run(QUERY, capture_output=True, text=True, timeout=30, check=True)
        lines = [line.split(",") for line in done.stdout.splitlines() if line.strip()]
        return min(int(total) - int(reserved) for total, reserved in lines) * MIB
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def assumed_nodes(shape: str) -> list[Node]:
    """The nodes that ``shape`` describes: ``4x8x80`` is four of eight GPUs with 80 GB each.

    Without the first number there is one node. Each is taken to have CPUs enough.

    Raises:
        ValueError: ``shape`` is not of that form.
    """
    found = SHAPE.fullmatch(shape)
    if not found:
        raise ValueError(
            f"expected NODESxGPUSxGB such as 4x8x80 (four nodes of eight GPUs with 80 GB each) or "
            f"8x80 (one node), found {shape!r:.40}"
        )
    nodes, gpus, gib = int(found[1] or 1), int(found[2]), int(found[3])
    return [
        Node(
            name=f"node {index + 1}",
            cpus=4 * gpus + 4,
            gpus=gpus,
            gpu_bytes=round(gib * 2**30 * NAMED_SHARE),
        )
        for index in range(nodes)
    ]
