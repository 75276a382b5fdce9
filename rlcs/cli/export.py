"""``rlcs export``: a run's model as a Hugging Face folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from rewards.shown import shown
from rlcs.cli.arguments import Verbs, add_trust, add_verb


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "export",
        run,
        "write a run's best (or last) model as a Hugging Face model folder",
        ["rlcs export runs/quickstart my-model"],
    )
    parser.add_argument("run", metavar="RUN", help="a run folder or a checkpoint")
    parser.add_argument("out", metavar="OUT", help="the folder to write; must not exist")
    add_trust(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the model; returns the exit status."""
    from rlcs.run.model_folder import write_model_folder

    out = Path(arguments.out)
    made_of = write_model_folder(Path(arguments.run), out, trust_code=arguments.trust_code)
    print(shown(f"{made_of} -> {out}"))
    return 0
