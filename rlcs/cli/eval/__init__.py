"""``rlcs eval``: held-out accuracy."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import Verbs, add_config, add_verb, read_config


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "eval",
        run,
        "held-out accuracy and pass@k by domain and category",
        [
            "rlcs eval configs/quickstart.yaml --model runs/quickstart",
            "rlcs eval configs/gsm8k.yaml --model MODEL_FOLDER --json accuracy.json",
        ],
    )
    add_config(parser)
    parser.add_argument("--model", metavar="PATH", help="a model folder, a checkpoint or a run")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers here; - prints them")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the table; returns the exit status."""
    from rlcs.config import RunConfig

    config = read_config(arguments, RunConfig)
    from rlcs.cli.eval.examination import examine

    return examine(config, model=arguments.model, json_path=arguments.json)
