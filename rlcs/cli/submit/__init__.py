"""``rlcs submit``: a run as a job of a Ray cluster, followed from here."""

from __future__ import annotations

import argparse
from pathlib import Path

from rlcs.cli.arguments import Verbs, add_config, add_verb


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "submit",
        run,
        "run it as a job of a Ray cluster, and follow it from here",
        [
            "rlcs submit my-run.yaml --address http://10.0.0.1:8265 run.folder=/shared/runs",
            "rlcs submit my-run.yaml --address http://10.0.0.1:8265 --requirements more.txt "
            "--env WANDB_API_KEY=KEY",
        ],
    )
    add_config(parser)
    parser.add_argument("--address", required=True, help="the cluster's dashboard")
    parser.add_argument("--requirements", metavar="FILE", help="packages the job needs besides")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--no-follow", action="store_true", help="submit it and return")


def run(arguments: argparse.Namespace) -> int:
    """Submit the job and follow it; returns its exit status."""
    from rlcs.cli.submit.job import submit

    return submit(
        arguments.config,
        arguments.overrides,
        address=arguments.address,
        requirements=arguments.requirements and Path(arguments.requirements),
        variables=arguments.env,
        follow=not arguments.no_follow,
        trust_code=arguments.trust_code,
    )
