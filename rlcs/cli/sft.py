"""``rlcs sft``: the cold start, new or resumed."""

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


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "sft",
        run,
        "the cold start: teach the form of a response by demonstrations",
        [
            "rlcs sft configs/gsm8k_sft.yaml",
            "rlcs sft --resume runs/gsm8k_sft/model.unfinished",
            "rlcs sft --schema > sft.schema.json",
        ],
    )
    add_config(parser, schema=True)
    add_resume(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train on the demonstrations; returns the exit status."""
    from rlcs.config import SftConfig

    if arguments.schema:
        return print_schema(SftConfig)
    config, resume = read_resumable(arguments, SftConfig)
    from rlcs.training.sft import sft

    return sft(config, resume)
