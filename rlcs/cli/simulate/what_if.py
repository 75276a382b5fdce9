"""``rlcs simulate``: other curricula over a logged run, or over a simulated learner."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from curricula import CurriculumError, ProblemSet
from curricula.study.contender import IN_EPOCHS, USUAL, Contender
from curricula.study.learner import World
from curricula.study.replay import Replay, logged, replay, replay_table
from curricula.study.run_log import Log, read_log
from curricula.study.simulation import Comparison, compare, table
from rewards.shown import shown
from rlcs.cli.simulate.forecast import foretell
from rlcs.config import load_config
from rlcs.errors import ConfigError, PackageMissingError, RlcsError, RunFolderError, sentence
from rlcs.files import check_room, write_whole, writing
from rlcs.run.folder import CONFIG_NAME


def simulate(arguments: argparse.Namespace) -> int:
    """Compare curricula as ``arguments`` say: print the table, and write the files they name."""
    _check_outputs(arguments)
    try:
        if arguments.forecast is not None:
            return foretell(arguments)
        contenders = [Contender.parse(text) for text in arguments.sampler or USUAL]
        if arguments.run is None:
            _over_a_learner(arguments, contenders)
        else:
            _over_a_run(arguments, contenders)
    except CurriculumError as error:
        raise ConfigError(sentence(error)) from error
    return 0


def _over_a_learner(arguments: argparse.Namespace, contenders: list[Contender]) -> None:
    world = _world(arguments.world)
    for name in ("seeds", "completions", "groups"):
        if getattr(arguments, name) < 1:
            raise ConfigError(f"--{name}: expected at least 1, found {getattr(arguments, name)}.")
    num_runs = len(contenders) * arguments.seeds
    with _progress("simulating", num_runs) as on_progress:
        rows = compare(
            contenders,
            world,
            num_completions=arguments.completions,
            seeds=range(arguments.seeds),
            num_groups=arguments.groups,
            group_size=arguments.group_size or 8,
            on_progress=on_progress,
        )
    if arguments.json != "-":
        print(
            f"{world.num_problems:,} problems, {arguments.completions:,} completions, "
            f"seeds: {arguments.seeds}. cost: completions until the final accuracy of "
            f"{contenders[0].name}, over its own; ± is a 95 % interval."
        )
        print(table(rows))
    settings = {
        "world": dataclasses.asdict(world),
        "num_completions": arguments.completions,
        "seeds": arguments.seeds,
        "groups": arguments.groups,
        "group_size": arguments.group_size or 8,
    }
    _write(arguments, "learner", settings, rows)


def _world(pairs: Sequence[str]) -> World:
    known = {field.name: field.type for field in dataclasses.fields(World)}
    given: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in known:
            raise ConfigError(
                f"--world: expected NAME=VALUE with {', '.join(known)}, not {pair!r}."
            )
        try:
            given[name] = int(value) if name.startswith("num_") else float(value)
        except ValueError:
            raise ConfigError(f"--world {name}: expected a number, found {value!r}.") from None
    return World(**given)


def _over_a_run(arguments: argparse.Namespace, contenders: list[Contender]) -> None:
    if arguments.world:
        raise ConfigError("--world is of the simulated learner; leave it away with a run.")
    path = Path(arguments.run)
    log_path = path / "log" / "groups.jsonl" if path.is_dir() else path
    if not log_path.is_file():
        raise RunFolderError(
            f"expected a run folder with log/groups.jsonl, or such a file, at {path}, found none. "
            "Name the folder of a run that took a step."
        )
    log = read_log(log_path)
    first = log.groups[0].result
    problems, kind, notes = _problems_of(path, log)
    rows = [logged(log)]
    with _progress("replaying", len(contenders) * len(log.steps)) as on_progress:
        for number, contender in enumerate(contenders):
            done = number * len(log.steps)
            rows.append(
                replay(
                    contender,
                    log,
                    problems,
                    group_size=arguments.group_size or first.attempts + first.errors,
                    in_epochs=kind in IN_EPOCHS,
                    on_progress=lambda more, done=done: on_progress(done + more),  # type: ignore[misc]
                )
            )
    if arguments.json != "-":
        print(
            f"{log_path}: {len(log.groups):,} groups in {len(log.steps):,} steps, drawn by "
            f"{kind or 'an unknown curriculum'}"
            + (f" from {len(problems):,} problems." if problems else ".")
        )
        print(replay_table(rows))
        print(
            "Each step answers what a curriculum would have drawn next, from the model as this "
            "run had trained it; not how the model would have fared."
        )
        print(*map(shown, notes), sep="\n", end="\n" if notes else "")
    _write(arguments, "run", {"log": str(log_path), "notes": notes}, rows)


def _problems_of(path: Path, log: Log) -> tuple[ProblemSet | None, str | None, list[str]]:
    """The problems a run could draw from, its kind of curriculum, and what is not known."""
    missing = "The problems of the log are taken for all there were: "
    if not (path / CONFIG_NAME).is_file():
        return None, None, [f"{missing}there is no {CONFIG_NAME} beside it."]
    from rlcs.config import RunConfig
    from rlcs.data import load_problems

    kind: str | None = None
    try:
        config = load_config(path / CONFIG_NAME, kind=RunConfig)
        kind = config.curriculum.kind
        train = load_problems(config).train
    except RlcsError as error:
        reason = str(error).splitlines()[0]
        return None, kind, [f"{missing}the run's data cannot be read ({reason})."]
    logged = sorted({group.result.problem_id for group in log.groups})
    strangers = [name for name, at in zip(logged, train.positions(logged), strict=True) if at < 0]
    if strangers:
        note = f"{missing}{len(strangers)} of them are no longer in the run's data."
        return None, kind, [note]
    return train.for_curriculum(), kind, []


def _check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse before the work what could not be written after it."""
    for name in ("json", "csv", "plot"):
        path = getattr(arguments, name)
        if path not in (None, "-") and not Path(path).parent.is_dir():
            raise ConfigError(
                f"--{name} {path}: expected a file in a folder that exists, found no folder "
                f"{Path(path).parent}. Make it first, or name another file."
            )
        if path not in (None, "-"):
            check_room(f"--{name} {path}", Path(path).parent)
    if arguments.plot is None:
        return
    if Path(arguments.plot).suffix not in (".png", ".svg"):
        raise ConfigError(f"--plot {arguments.plot}: expected a file name ending in .png or .svg.")
    if find_spec("matplotlib") is None:
        raise PackageMissingError(
            "--plot needs matplotlib, which is not installed. Install it by "
            "pip install 'rlcs[plots]', or leave --plot away."
        )


def _write(
    arguments: argparse.Namespace,
    kind: str,
    settings: dict[str, Any],
    rows: Sequence[Comparison] | Sequence[Replay],
) -> None:
    """Write the files that ``arguments`` name: everything as JSON, the table as CSV, the plot."""
    whole = [dataclasses.asdict(row) for row in rows]
    if arguments.json is not None:
        text = json.dumps({"kind": kind, **settings, "rows": _plain(whole)}, indent=1)
        if arguments.json == "-":
            print(text)
        else:
            with writing("the JSON", Path(arguments.json).parent):
                write_whole(Path(arguments.json), text + "\n")
    if arguments.csv is not None:
        single = [
            {name: value for name, value in row.items() if isinstance(value, str | int | float)}
            for row in whole
        ]
        file = io.StringIO()
        writer = csv.DictWriter(file, list(single[0]))
        writer.writeheader()
        writer.writerows(single)
        with writing("the CSV", Path(arguments.csv).parent):
            write_whole(Path(arguments.csv), file.getvalue())
    if arguments.plot is not None:
        from curricula.study.plots import comparison_plot, replay_plot

        plot: Any = comparison_plot if kind == "learner" else replay_plot
        with writing("the plot", Path(arguments.plot).parent):
            plot(rows, arguments.plot)


def _plain(value: Any) -> Any:
    """Without the infinities and NaNs that JSON does not have."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    """A bar on standard error; nothing where that is no terminal."""
    console = Console(file=sys.stderr)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task: TaskID = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
