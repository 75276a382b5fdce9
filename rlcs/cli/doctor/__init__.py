"""``rlcs doctor``: a look at a run before it starts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rlcs.cli.arguments import Verbs, add_config, add_verb, read_config

if TYPE_CHECKING:
    from rlcs.cluster.placement import Node


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "doctor",
        run,
        "look a run over before it starts: batch, memory, placement, disk, packages, data",
        [
            "rlcs doctor configs/quickstart.yaml",
            "rlcs doctor configs/gsm8k.yaml hardware.ray_address=10.0.0.1:6379",
            "rlcs doctor configs/glm41v_9b_zero3_4x8gpu.yaml --assume 4x8x80",
        ],
    )
    add_config(parser)
    parser.add_argument(
        "--assume",
        metavar="NODESxGPUSxGB",
        type=_nodes,
        help="plan for GPUs that are not at hand: 8x80 is a node of eight with 80 GB each",
    )


def run(arguments: argparse.Namespace) -> int:
    """Look the run over and print a report; returns 0, or 1 when it would not start or not fit."""
    from rlcs.config import RunConfig

    config = read_config(arguments, RunConfig)
    from rlcs.cli.doctor.examination import examine_run

    return examine_run(config, assumed=arguments.assume)


def _nodes(shape: str) -> list[Node]:
    from rlcs.cluster.gpu_memory import assumed_nodes

    try:
        return assumed_nodes(shape)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
