"""``rlcs simulate --forecast CONFIG``: what choosing is expected to save in a run not yet made."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from curricula.study.contender import Contender
from curricula.study.forecast import Forecast, Pool, forecast
from curricula.study.run_log import read_log
from rlcs.config import RunConfig, load_config
from rlcs.errors import ConfigError, RunFolderError
from rlcs.files import write_whole, writing
from rlcs.types import Problem


def foretell(arguments: argparse.Namespace) -> int:
    """Print the forecast for the run of ``arguments.forecast``; returns the exit status.

    Raises:
        ConfigError: an argument does not go with a forecast, or no pass rate is known.
        RunFolderError: the run named has no log.
    """
    for name in ("world", "csv", "plot"):
        if getattr(arguments, name):
            raise ConfigError(f"--{name} does not go with --forecast; leave it away.")
    from rlcs.data import load_problems

    config = load_config(Path(arguments.forecast), kind=RunConfig)
    loaded = load_problems(config)
    problems = loaded.train
    held_out = [(problem.domain, problem.category) for problem in loaded.heldout]
    pool, source = _pool(problems, held_out, arguments.run)
    texts: Sequence[str] = arguments.sampler or ()
    contenders = [Contender.parse(text) for text in texts] or [
        Contender(
            name=config.curriculum.kind,
            kind=config.curriculum.kind,
            settings=config.curriculum.settings,
        )
    ]
    rows = {
        contender.name: forecast(
            pool,
            contender,
            num_steps=config.run.num_steps,
            num_groups=config.run.groups_per_step,
            group_size=config.rollout.group_size,
        )
        for contender in contenders
    }
    if arguments.json != "-":
        print(f"{arguments.forecast}: {len(problems):,} problems; {source}.")
        print("\n".join(in_words(name, row) for name, row in rows.items()))
        print(
            "Of completions, until the accuracy that uniform sampling ends with; a simulation, in "
            "which how fast this model learns is drawn by chance. Brackets hold nine tenths of it."
        )
    if arguments.json is not None:
        text = json.dumps({name: asdict(row) for name, row in rows.items()}, indent=1)
        if arguments.json == "-":
            print(text)
        else:
            with writing("the JSON", Path(arguments.json).parent):
                write_whole(Path(arguments.json), text + "\n")
    return 0


def in_words(name: str, row: Forecast) -> str:
    """The forecast of one curriculum as a line."""
    uniform, chosen = row.valid_share
    return (
        f"{name}: expected to save {row.saving:.0%} [{row.low:.0%}, {row.high:.0%}]; "
        f"valid groups {uniform:.0%} under uniform sampling, {chosen:.0%} under this"
    )


def _pool(
    problems: Sequence[Problem], held_out: Sequence[tuple[str, str]], run: str | None
) -> tuple[Pool, str]:
    """The problems with what is known of them, and in words where it is known from."""
    rates = {
        problem.problem_id: problem.prior_pass_rate
        for problem in problems
        if problem.prior_pass_rate is not None
    }
    graded = bool(rates)
    source = f"{len(rates):,} of them graded offline"
    if run is not None:
        rates, graded = _seen(run), False
        source = f"{len(rates):,} problems seen in {run}"
    found = np.array([rates.get(problem.problem_id, np.nan) for problem in problems])
    categories = [(problem.domain, problem.category) for problem in problems]
    pool = Pool(categories=categories, rates=found, graded=graded, held_out=held_out)
    return pool, source


def _seen(run: str) -> dict[str, float]:
    """Pass rates of the problems that a run drew."""
    path = Path(run) / "log" / "groups.jsonl" if Path(run).is_dir() else Path(run)
    if not path.is_file():
        raise RunFolderError(
            f"expected a run folder with log/groups.jsonl, or such a file, at {run}, found none. "
            "Name the folder of a run that took a step."
        )
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for group in read_log(path).groups:
        counts[group.result.problem_id][0] += group.result.passes
        counts[group.result.problem_id][1] += group.result.attempts
    return {name: passes / attempts for name, (passes, attempts) in counts.items() if attempts}
