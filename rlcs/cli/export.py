"""``rlcs export``: a run's model as a Hugging Face folder."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from rewards.shown import shown
from rlcs.cli.arguments import Verbs, add_verb
from rlcs.errors import RunFolderError
from rlcs.files import check_room, size_of, whole, writing


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "export",
        run,
        "copy a run's best (or last) model to a Hugging Face model folder",
        ["rlcs export runs/quickstart my-model"],
    )
    parser.add_argument("run", metavar="RUN", help="a run folder or a checkpoint")
    parser.add_argument("out", metavar="OUT", help="the folder to write; must not exist")


def run(arguments: argparse.Namespace) -> int:
    """Copy the model; returns the exit status."""
    return export(Path(arguments.run), Path(arguments.out))


def export(run: Path, out: Path) -> int:
    """Copy the model of ``run`` (its best checkpoint, else its last) to ``out``.

    Raises:
        RunFolderError: there is no model in ``run``, or ``out`` exists.
        StorageError: the disk has no room for the model, is read-only or gone.
    """
    from rlcs.run.checkpoint import find_model

    if out.exists():
        raise RunFolderError(f"the folder {out} exists already; remove it or name another.")
    model = find_model(run)
    needed = size_of(model)
    check_room("the model", out, needed_bytes=needed)
    with writing("the model", out, needed_bytes=needed), whole(out) as partial:
        shutil.copytree(model, partial)
    print(shown(f"{model} -> {out}"))
    return 0
