"""``rlcs check CONFIG.yaml``: audit the verifiers of a run over its own problems."""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from contextlib import closing
from pathlib import Path

from rewards.check.command import CHECKS, run_check
from rlcs.cli.trust import load_trusted
from rlcs.config import RunConfig
from rlcs.data import load_problems
from rlcs.errors import ConfigError
from rlcs.files import writing
from rlcs.scoring import Scorer

OF_THE_CONFIG = ("custom", "domain", "pass_mark", "settings")
"""Options that are for a file of cases alone, because a configuration has keys for them."""


def check_config(arguments: argparse.Namespace) -> int:
    """Run ``rewards.check`` over every problem of the training config ``arguments.cases``.

    The config's own verifiers judge, with their settings and pass marks. There are no responses
    to judge, so without one of the four checks the gold check is made. Returns the exit status.

    Raises:
        ConfigError, DatasetError: the configuration, its data or the options cannot be used.
    """
    given = vars(arguments)
    if refused := [name for name in OF_THE_CONFIG if given[name]]:
        raise ConfigError(
            f"--{refused[0].replace('_', '-')} is for a file of cases; expected it in the "
            f"configuration {arguments.cases}, under scoring.domains."
        )
    config = load_trusted(arguments.cases, (), kind=RunConfig, trust_code=arguments.trust_code)
    checks = {} if any(given[check] for check in CHECKS) else {"gold": True}
    num_workers = max(arguments.workers, config.scoring.num_workers)
    scoring = config.scoring.model_copy(update={"num_workers": num_workers})
    with closing(Scorer(scoring)) as scorer, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.jsonl"
        with writing("the problems to check", path.parent):
            write_cases(config, path)
        return run_check(argparse.Namespace(**{**given, **checks, "cases": path}), scorer.pool)


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
        for problem in itertools.chain(loaded.train, loaded.heldout)
    )
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
