"""``rlcs export``: a run's model as a Hugging Face folder, and onto the hub."""

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
        [
            "rlcs export runs/quickstart my-model",
            "rlcs export runs/quickstart my-model --push my-name/my-model",
        ],
    )
    parser.add_argument("run", metavar="RUN", help="a run folder or a checkpoint")
    parser.add_argument("out", metavar="OUT", help="the folder to write; must not exist")
    parser.add_argument(
        "--push",
        metavar="ID",
        help="then upload it, with a model card, as the model ID of the Hugging Face hub (by the "
        "token of `hf auth login` or HF_TOKEN); a new one is private",
    )
    add_trust(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the model, and push it where that is wanted; returns the exit status."""
    from rlcs.run.model_folder import write_model_folder

    source, out = Path(arguments.run), Path(arguments.out)
    if arguments.push is None:
        print(shown(f"{write_model_folder(source, out, trust_code=arguments.trust_code)} -> {out}"))
        return 0
    from rlcs.cli.export.card import read_card
    from rlcs.cli.export.push import check_push, push

    check_push(arguments.push)
    card = read_card(source, arguments.push)  # before the long work
    made_of = write_model_folder(source, out, trust_code=arguments.trust_code)
    print(shown(f"{made_of} -> {out}"))
    print(shown(f"{out} -> {push(out, card, arguments.push)}"))
    return 0
