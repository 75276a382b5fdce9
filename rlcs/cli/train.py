"""``rlcs train``: the RL run, new or resumed."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import (
    Verbs,
    add_config,
    add_resume,
    add_verb,
    print_schema,
    read_resumable,
)
from rlcs.errors import ConfigError


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "train",
        run,
        "train a model by reinforcement learning",
        [
            "rlcs train configs/quickstart.yaml",
            "rlcs train configs/gsm8k.yaml run.name=second learner.learning_rate=2e-6",
            "rlcs train --resume runs/second",
            "rlcs train --resume runs/second run.num_steps=200",
            "rlcs train --resume runs/second --reconcile   # after the data was changed",
            "rlcs train --schema > train.schema.json",
        ],
    )
    add_config(parser, schema=True)
    add_resume(parser)
    parser.add_argument(
        "--reconcile",
        action="store_true",
        help="with --resume: the data has changed; what is known of a problem goes on by its id",
    )


def run(arguments: argparse.Namespace) -> int:
    """Start the run or go on with it; returns the exit status."""
    from rlcs.config import RunConfig

    if arguments.schema:
        return print_schema(RunConfig)
    if arguments.resume is None and arguments.config is None:
        raise ConfigError("expected a config file, or --resume RUN; see rlcs train --help.")
    if arguments.resume is None and arguments.reconcile:
        raise ConfigError("--reconcile is about a run's state: expected --resume RUN with it.")
    config, resume = read_resumable(arguments, RunConfig)
    from rlcs.training.session import train

    return train(config, resume, reconcile=arguments.reconcile)
