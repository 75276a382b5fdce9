"""``rlcs train``: the RL run, new or resumed."""

from __future__ import annotations

import argparse
from pathlib import Path

from rlcs.cli.arguments import Verbs, add_config, add_verb, is_override, print_schema
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
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")
    parser.add_argument(
        "--reconcile",
        action="store_true",
        help="with --resume: the data has changed; what is known of a problem goes on by its id",
    )


def run(arguments: argparse.Namespace) -> int:
    """Start the run or go on with it; returns the exit status."""
    from rlcs.cli.trust import load_trusted
    from rlcs.config import RunConfig

    if arguments.schema:
        return print_schema(RunConfig)
    path, overrides = arguments.config, arguments.overrides
    resume = None if arguments.resume is None else Path(arguments.resume)
    if resume is None:
        if path is None:
            raise ConfigError("expected a config file, or --resume RUN; see rlcs train --help.")
        if arguments.reconcile:
            raise ConfigError("--reconcile is about a run's state: expected --resume RUN with it.")
    else:
        from rlcs.run.folder import find_run_config
        from rlcs.run.inside import check_inside

        check_inside(resume)
        own = find_run_config(resume)
        if path is not None and is_override(path):
            path, overrides = None, [path, *overrides]
        path = path or own
    config = load_trusted(path, overrides, kind=RunConfig, trust_code=arguments.trust_code)
    from rlcs.training.session import train

    return train(config, resume, reconcile=arguments.reconcile)
