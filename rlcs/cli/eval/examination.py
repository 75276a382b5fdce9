"""``rlcs eval``: the held-out accuracy of a model folder or a run, as a table and as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rewards.shown import shown_line
from rlcs.activity import doing
from rlcs.cli.eval.report import result_of, show
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import RunConfig
from rlcs.data import Fault, write_dropped
from rlcs.errors import ConfigError
from rlcs.files import check_room, whole, write_whole, writing
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import engine_settings, most_shown, training_sampling
from rlcs.run.checkpoint import find_model
from rlcs.run.screen import Screen, shown_duration
from rlcs.training.data import load_training_data
from rlcs.training.evaluate import Accuracy, Evaluation, Examinee, evaluate
from rlcs.training.workers import needs_of

COMPLETIONS_NAME = "completions.parquet"


def examine(
    config: RunConfig, *, model: str | None, json_path: str | None, out: Path | None
) -> int:
    """Evaluate ``model`` (the config's own when None) and print the table.

    All completions and their verdicts go into a folder of ``out``, or of ``run.folder``.

    Raises:
        ConfigError: the configuration holds nothing out.
        RunFolderError: there is no model at ``model``.
        StorageError: ``json_path`` cannot be written.
    """
    if not config.data.heldout:
        raise ConfigError("expected problems under data.heldout to evaluate on, found none.")
    check_json(json_path)
    if model is not None and Path(model).exists():
        model = str(find_model(model))
    chosen = config.model.model_copy(update={"path": model or config.model.path})
    folder = (out or Path(config.run.folder)) / f"eval-{config.run.name}"
    check_room("the completions", folder)
    quiet = json_path == "-"
    rows: list[dict[str, Any]] = []
    progress = None if quiet else EvaluationProgress()
    with Screen(console=Console(stderr=True)):
        evaluation = run_evaluation(
            config.model_copy(update={"model": chosen}),
            folder,
            keep=rows.append,
            progress=progress,
        )
    path = write_completions(rows, folder)
    sampled = [row for row in rows if not row["greedy"]]
    result = result_of(config.run.name, sampled, evaluation.num_completions)
    numbers = {**result.as_json(), **evaluation.as_json()}
    write_json(numbers, json_path)
    if not quiet:
        console = Console()
        console.print(accuracy_table(evaluation))
        show(console, [result])
        say(console, f"completions and verdicts are in {path}")
    return 0


def check_json(path: str | None) -> None:
    """Check before long work that numbers can be written to ``path``.

    Raises:
        ConfigError: it lies in no folder.
        StorageError: the folder takes no file.
    """
    if path in (None, "-"):
        return
    if not Path(path).parent.is_dir():
        raise ConfigError(
            f"--json {path}: expected a file in a folder that exists, found no folder "
            f"{Path(path).parent}. Make it first, or name another file."
        )
    check_room("the numbers", Path(path).parent)


def write_json(numbers: dict[str, Any], path: str | None) -> None:
    """Print ``numbers`` where ``path`` is ``-``, write them there, or do nothing without one."""
    text = json.dumps(numbers, indent=2) + "\n"
    if path == "-":
        sys.stdout.write(text)
    elif path is not None:
        with writing("the numbers", Path(path).parent):
            write_whole(Path(path), text)


def write_completions(rows: list[dict[str, Any]], folder: Path) -> Path:
    """Write one row a completion, with its verdict; returns the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / COMPLETIONS_NAME
    with writing("the completions", folder):
        folder.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial:
            pq.write_table(pa.Table.from_pylist(rows), partial, compression="zstd")
    return path


class EvaluationProgress:
    """Says how many problems are answered and how long the others will take."""

    def __init__(self) -> None:
        self._console = Console()
        self._started = time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` requests are answered and judged."""
        left = (time.perf_counter() - self._started) / done * (total - done)
        say(self._console, f"{done}/{total} problems answered  left {shown_duration(left)}")


def say(console: Console, text: str) -> None:
    """Print one line of plain text."""
    console.print(shown_line(text), markup=False, highlight=False, soft_wrap=True)


def tell_left_out(notes: Sequence[str], dropped: Sequence[Fault], folder: Path) -> None:
    """Say on the standard error what is not asked, and write the dropped rows into ``folder``.

    Raises:
        StorageError: the disk does not take them.
    """
    for note in notes:
        say(Console(stderr=True), note)
    if dropped:
        with writing("the dropped rows", folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_dropped(folder, dropped)


def run_evaluation(
    config: RunConfig,
    folder: Path,
    *,
    keep: Callable[[dict[str, Any]], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Start the engines alone, evaluate, and stop them; ``keep`` gets a row a completion.

    Rows that are dropped are written into ``folder``.
    """
    with doing("reading and checking the problems"):
        training_data = load_training_data(config)
    try:
        tell_left_out(training_data.notes, training_data.dropped, folder)
        plan = start_cluster(config.hardware, replace(needs_of(config), num_ranks=0))
        rollouts = RolloutPool(
            engine_settings(
                model=config.model,
                rollout=config.rollout,
                lora=config.learner.lora,
                renderer=training_data.renderer,
                plan=plan,
                shown=most_shown(training_data.heldout),
            ),
            num_actors=config.rollout.num_actors,
            plan=plan,
        )
        rollouts.wait_until_ready()
        examinee = Examinee(
            problems=training_data.heldout,
            renderer=training_data.renderer,
            rollouts=rollouts,
            scorer=training_data.scorer,
        )
        return evaluate(
            examinee,
            training_sampling(config.rollout),
            num_completions=config.evaluation.samples_per_problem,
            seed=config.run.seed,
            keep=keep,
            progress=progress,
        )
    finally:
        stop_cluster()
        training_data.scorer.close()


def accuracy_table(evaluation: Evaluation) -> Table:
    """The accuracies as a table: all problems, then each domain, then each category."""
    k = evaluation.num_completions
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("problems")
    for name in ("number", f"avg@{k}", f"pass@{k}", "greedy"):
        table.add_column(name, justify="right")
    parts: list[tuple[str, Accuracy]] = [
        ("all", evaluation.overall),
        *sorted(evaluation.by_domain.items()),
        *sorted(evaluation.by_category.items()),
    ]
    for name, part in parts:
        table.add_row(escape(shown_line(name)), str(part.num_problems), *_shares(part))
    return table


def _shares(part: Accuracy) -> list[str]:
    shares: list[Any] = [part.accuracy, part.pass_at_k, part.greedy]
    return ["-" if share is None else f"{100 * share:.1f}%" for share in shares]
