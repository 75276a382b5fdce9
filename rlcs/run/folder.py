"""The folder of a run: where a new one goes, and whether an old one can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rlcs.config import RunConfig, SftConfig, config_differences, load_config
from rlcs.errors import ResumeError, RunFolderError

CONFIG_NAME = "config.resolved.yaml"

CHANGEABLE = (
    "run.num_steps",
    "run.save_every",
    "run.keep_checkpoints",
    "run.model_every",
    "rollout.num_actors",
    "learner.num_ranks",
    "learner.zero_stage",
    "evaluation.every_steps",
    "tracking.",
    "hardware.ray_address",
    "faults.",
)
"""Keys that may differ on resuming: none of them changes what a step does, but for rounding."""


SFT_CHANGEABLE = (
    "output",
    "sft.save_every",
    "sft.num_ranks",
    "sft.zero_stage",
    "hardware.ray_address",
)
"""The same of a cold start."""


def free_run_folder(config: RunConfig) -> Path:
    """The folder that the new run of ``config`` will get; it is not made yet.

    Raises:
        RunFolderError: it exists already.
    """
    folder = Path(config.run.folder) / config.run.name
    if folder.exists():
        raise RunFolderError(
            f"the run folder {folder} exists already. Go on with that run: "
            f"rlcs train --resume {folder}; or start another: run.name=OTHER."
        )
    return folder


def find_run_config(folder: Path) -> Path:
    """The file with the configuration a run was started with.

    Raises:
        ResumeError: ``folder`` is no run folder.
    """
    path = folder / CONFIG_NAME
    if not path.exists():
        raise ResumeError(
            f"expected a run folder with {CONFIG_NAME} at {folder}, found "
            f"{'none in it' if folder.is_dir() else 'no such folder'}. "
            "Name the folder of a run that was started."
        )
    return path


def read_run_config(folder: Path) -> RunConfig:
    """The configuration a run was started with."""
    return load_config(find_run_config(folder), kind=RunConfig)


def check_resumable(old: RunConfig, new: RunConfig, *, reconcile: bool = False) -> list[str]:
    """The changes from ``old`` to ``new``, a line each; with ``reconcile`` the data may change.

    Raises:
        ResumeError: a change would make the run another one than was started.
    """
    differences = config_differences(old, new)
    more = "." if reconcile else "; with --reconcile also data."
    _check_changes(differences, _changeable(new, reconcile), another="run.name", more=more)
    return differences


def read_sft_config(folder: Path) -> SftConfig:
    """The configuration a cold start was started with."""
    return load_config(find_run_config(folder), kind=SftConfig)


def check_same_sft(old: SftConfig, new: SftConfig) -> list[str]:
    """The changes from ``old`` to ``new``, a line each.

    Raises:
        ResumeError: a change would make it another cold start than was begun.
    """
    differences = config_differences(old, new)
    _check_changes(differences, SFT_CHANGEABLE, another="output", more=".")
    return differences


def _check_changes(
    differences: Sequence[str], changeable: tuple[str, ...], *, another: str, more: str
) -> None:
    if refused := [line for line in differences if not line.startswith(changeable)]:
        raise ResumeError(
            "resuming with these changes would not continue the same run:\n"
            + "\n".join(f"  {line}" for line in refused)
            + f"\nUndo them, or start a new run with another {another}. May be changed: "
            + ", ".join(key.rstrip(".") for key in changeable)
            + more
        )


def _changeable(config: RunConfig, reconcile: bool) -> tuple[str, ...]:
    """The number of steps shapes a falling learning rate, and only a constant one is free of it."""
    keys = (*CHANGEABLE, "data.") if reconcile else CHANGEABLE
    if config.learner.schedule == "constant":
        return keys
    return tuple(key for key in keys if key != "run.num_steps")
