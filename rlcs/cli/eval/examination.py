"""``rlcs eval``: the held-out accuracy of a model folder or a run, as a table and as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rewards.shown import shown_line
from rlcs.activity import doing
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import RunConfig
from rlcs.errors import ConfigError
from rlcs.files import check_room, write_whole, writing
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import engine_settings, most_shown, training_sampling
from rlcs.run.checkpoint import find_model
from rlcs.run.screen import Screen
from rlcs.training.data import load_training_data
from rlcs.training.evaluate import Accuracy, Evaluation, Examinee, evaluate
from rlcs.training.workers import needs_of


def examine(config: RunConfig, *, model: str | None, json_path: str | None) -> int:
    """Evaluate ``model`` (the config's own when None) and print the table.

    Raises:
        ConfigError: the configuration holds nothing out.
        RunFolderError: there is no model at ``model``.
        StorageError: ``json_path`` cannot be written.
    """
    if not config.data.heldout:
        raise ConfigError("expected problems under data.heldout to evaluate on, found none.")
    if json_path not in (None, "-") and not Path(json_path).parent.is_dir():
        raise ConfigError(
            f"--json {json_path}: expected a file in a folder that exists, found no folder "
            f"{Path(json_path).parent}. Make it first, or name another file."
        )
    if json_path not in (None, "-"):
        check_room("the numbers", Path(json_path).parent)
    if model is not None and Path(model).exists():
        model = str(find_model(model))
    chosen = config.model.model_copy(update={"path": model or config.model.path})
    with Screen(console=Console(stderr=True)):
        evaluation = run_evaluation(config.model_copy(update={"model": chosen}))
    if json_path == "-":
        json.dump(evaluation.as_json(), sys.stdout, indent=2)
        print()
        return 0
    Console().print(accuracy_table(evaluation))
    if evaluation.num_errors:
        print(f"{evaluation.num_errors} completions could not be judged and are left out")
    if json_path is not None:
        with writing("the numbers", Path(json_path).parent):
            write_whole(Path(json_path), json.dumps(evaluation.as_json(), indent=2) + "\n")
    return 0


def run_evaluation(config: RunConfig) -> Evaluation:
    """Start the engines alone, evaluate, and stop them."""
    with doing("reading and checking the problems"):
        training_data = load_training_data(config)
    try:
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
            prompts=training_data.prompts,
            rollouts=rollouts,
            scorer=training_data.scorer,
        )
        return evaluate(
            examinee,
            training_sampling(config.rollout),
            num_completions=config.evaluation.samples_per_problem,
            seed=config.run.seed,
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
