"""``rlcs check``: the offline audit of verifiers, over a file of cases or a run's own problems."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import Verbs, add_trust, add_verb


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    from rewards.check.command import add_arguments

    parser = add_verb(
        verbs,
        "check",
        run,
        "judge a file of cases and audit its verifiers, before a GPU starts",
        [
            "rlcs check cases.jsonl",
            "rlcs check problems.jsonl --gold --reformat --perturb --probe --domain math",
            "rlcs check configs/gsm8k.yaml --gold --probe",
        ],
    )
    add_arguments(parser)
    add_trust(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge the cases; returns the exit status."""
    from rewards.check.command import run_check

    if arguments.cases.suffix not in (".yaml", ".yml"):
        return run_check(arguments)
    from rlcs.cli.check.cases import check_config

    return check_config(arguments)
