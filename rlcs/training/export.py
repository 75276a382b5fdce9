"""``rlcs export``: a run's model as a Hugging Face folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rlcs.errors import RunFolderError
from rlcs.training.checkpoint import find_model


def export(run: Path, out: Path) -> int:
    """Copy the model of ``run`` (its best checkpoint, else its last) to ``out``.

    Raises:
        RunFolderError: there is no model in ``run``, or ``out`` exists.
    """
    if out.exists():
        raise RunFolderError(f"the folder {out} exists already; remove it or name another.")
    model = find_model(run)
    partial = out.with_name(out.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    shutil.copytree(model, partial)
    os.replace(partial, out)
    print(f"{model} -> {out}")
    return 0
