"""``rlcs doctor``: a look at a run before it starts."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import Verbs, add_config, add_verb, read_config


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
        ],
    )
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look the run over and print a report; returns 0, or 1 when it would not start or not fit."""
    from rlcs.config import RunConfig

    config = read_config(arguments, RunConfig)
    from rlcs.cli.doctor.examination import examine_run

    return examine_run(config)
