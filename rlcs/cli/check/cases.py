"""``rlcs check CONFIG.yaml``: audit the verifiers of a run over its own problems."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rewards.check.command import CHECKS, run_check
from rlcs.config import RunConfig, load_config
from rlcs.data import load_problems


def check_config(arguments: argparse.Namespace) -> int:
    """``rewards.check`` over every problem of the training config ``arguments.cases``.

    The config's own verifiers and their settings are used. There are no responses to judge,
    so without one of the four checks the gold check is made. Returns the exit status.

    Raises:
        ConfigError, DatasetError: the configuration or its data cannot be used.
    """
    config = load_config(arguments.cases, kind=RunConfig)
    domains = config.scoring.domains
    chosen = vars(arguments) | {
        "custom": [f"{name}={part.verifier}" for name, part in domains.items() if part.verifier]
    }
    if not any(chosen[check] for check in CHECKS):
        chosen["gold"] = True
    with tempfile.TemporaryDirectory() as folder:
        chosen["cases"] = Path(folder) / "problems.jsonl"
        write_cases(config, chosen["cases"])
        if settings := {name: part.settings for name, part in domains.items() if part.settings}:
            chosen["settings"] = Path(folder) / "settings.json"
            chosen["settings"].write_text(json.dumps(settings))
        return run_check(argparse.Namespace(**chosen))


def write_cases(config: RunConfig, path: Path) -> None:
    """Write every training and held-out problem of ``config`` as a row of ``rlcs check``."""
    loaded = load_problems(config)
    rows = (
        {
            "id": problem.problem_id,
            "domain": problem.domain,
            "question": problem.question,
            "reference": problem.reference,
        }
        for problem in [*loaded.train, *loaded.heldout]
    )
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
