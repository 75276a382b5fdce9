"""Real training runs of a tiny model on a CPU, many of them in the same processes.

What `bench_sampling` and `bench_arena` have in common: the cold start, one run, and the numbers
that are taken of it. A run is the loop of `rlcs train` (curriculum, engine in a Ray actor, verifier
process, DeepSpeed rank) from the cold start, for a number of generated completions. Held-out
accuracy (avg@k at the training temperature) is measured before and after every eighth of them (or
another share), and not counted.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "configs" / "bench_sampling.yaml"
CACHE = ROOT / ".cache" / "bench_sampling"
NUM_MARKS = 8
"""Evaluations of a run after the one before it."""
DEMONSTRATIONS = {3: (1500, 0.0), 4: (2500, 0.2), 5: (2500, 0.3), 6: (2000, 0.45), 7: (1500, 0.65)}
"""Terms: demonstrations of the cold start, and how often each of their additions slips."""


# The cold start


def make_cold_start(folder: Path, *, hidden: int = 96, layers: int = 2) -> None:
    """Teach a tiny model to add with slips; `folder` gets it as `cold_start`."""
    from rlcs.config import SftConfig
    from rlcs.training.sft import sft

    folder.mkdir(parents=True, exist_ok=True)
    untrained, demonstrations = folder / "untrained", folder / "demonstrations.jsonl"
    make_model = [sys.executable, str(ROOT / "scripts" / "make_tiny_model"), str(untrained)]
    size = ["--hidden", str(hidden), "--layers", str(layers)]
    subprocess.run([*make_model, *size], check=True)
    demonstrations.write_text("".join(json.dumps(row) + "\n" for row in demonstrate()))
    columns = {"question": "question", "reference": "answer", "thinking": "thinking"}
    sft(
        SftConfig.model_validate(
            {
                "output": str(folder / "cold_start"),
                "model": {"path": str(untrained)},
                "data": {"train": [{"path": str(demonstrations), "columns": columns}]},
                "sft": {
                    "num_epochs": 3,
                    "batch_size": 24,
                    "learning_rate": 3e-3,
                    "warmup_steps": 20,
                    "schedule": "cosine",
                    "beta2": 0.98,
                    "micro_batch_tokens": 2048,
                    "max_tokens": 96,
                },
                "hardware": {"device": "cpu", "threads_per_process": 1},
            }
        )
    )


def demonstrate() -> list[dict[str, str]]:
    """Worked sums in random order; the slipped ones end in the wrong sum they lead to."""
    import reasoning_gym

    generator = random.Random(1)
    rows = []
    for terms, (number, slip) in DEMONSTRATIONS.items():
        task = reasoning_gym.create_dataset(
            "basic_arithmetic",
            size=number,
            seed=1000 + terms,
            min_terms=terms,
            max_terms=terms,
            min_digits=1,
            max_digits=1,
            operators=["+"],
            allow_parentheses=False,
            allow_negation=False,
        )
        for entry in task:
            thinking, result = add(entry["metadata"]["expression"], slip, generator)
            rows.append({"question": entry["question"], "answer": result, "thinking": thinking})
    generator.shuffle(rows)
    return rows


def add(expression: str, slip: float, generator: random.Random) -> tuple[str, str]:
    """Each term with the total up to it, and the sum; a slip makes a total one too large.

    3 + 9 + 4   ->   303 912 416, without the spaces
    """
    total, written = 0, ""
    for place, term in enumerate(int(term) for term in expression.split("+")):
        total += term
        if place and generator.random() < slip:
            total += 1
        written += f"{term}{total:02}"
    return written, str(total)


# The runs


def _unchanged(value: Any, config: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRun:
    """One training run: its configuration, its folder, and what its result says it is.

    `disturb(training_data, config)` returns what the run trains on in place of the loaded data;
    held-out problems are judged by the loaded data's scorer.
    """

    config: Any
    folder: Path
    about: Mapping[str, Any]
    disturb: Callable[[Any, Any], Any] = field(default=_unchanged)


def make_runs(
    runs: Sequence[PlannedRun],
    budget: int,
    on_finished: Callable[[dict[str, Any]], None],
    *,
    num_marks: int = NUM_MARKS,
) -> None:
    """Make runs over the same data and model, one after the other, in the same processes."""
    from rlcs.data import most_shown
    from rlcs.training.data import load_training_data
    from rlcs.training.workers import start_workers

    config = runs[0].config
    training_data = load_training_data(config)
    try:
        shown = most_shown(training_data.problems, training_data.heldout)
        workers = start_workers(config, training_data.renderer, shown=shown, on_fault=tell)
        with tempfile.TemporaryDirectory() as start:
            workers.learner.save(start)
            for run in runs:
                workers.learner.load(start)
                workers.publish(0)
                on_finished(train(run, training_data, workers, budget, num_marks))
    finally:
        from rlcs.cluster.ray_cluster import stop_cluster

        stop_cluster()
        training_data.scorer.close()


def tell(fault: Any) -> None:
    """Faults are dealt with by the loop; the reader of the output should know."""
    print(f"fault: {fault}", file=sys.stderr, flush=True)


def train(
    run: PlannedRun, training_data: Any, workers: Any, budget: int, num_marks: int
) -> dict[str, Any]:
    """Make one run and return its result; what an interrupted attempt left is replaced."""
    from rlcs.config import write_config
    from rlcs.rollout.lengths import LengthHistory
    from rlcs.rollout.settings import training_sampling
    from rlcs.run.folder import CONFIG_NAME
    from rlcs.run.log import RunLog
    from rlcs.run.state import TrainerState
    from rlcs.training.data import make_run_curriculum
    from rlcs.training.loop import Trainer, run_steps, train_step

    config, folder = run.config, run.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_config(config, folder / CONFIG_NAME)
    state = TrainerState()
    log = RunLog(folder, config.tracking, position={}, steps_done=0)
    curriculum = Foretold(make_run_curriculum(config, training_data.problems, {}))
    started = time.perf_counter()
    with closing(log):
        trainer = Trainer(
            config=config,
            training_data=run.disturb(training_data, config),
            sampling=training_sampling(config.rollout),
            curriculum=curriculum,
            lengths=LengthHistory(state.lengths),
            workers=workers,
            log=log,
            state=state,
        )
        curve = [measure(trainer, training_data.scorer)]

        def after_step(row: dict[str, Any]) -> None:
            if state.num_rollouts >= len(curve) * budget / num_marks:
                # A step may pass several marks; one point stands for all of them.
                point = measure(trainer, training_data.scorer)
                while state.num_rollouts >= len(curve) * budget / num_marks:
                    curve.append(point)

        run_steps(
            trainer,
            lambda: train_step(trainer),
            after_step=after_step,
            should_stop=lambda: state.num_rollouts >= budget,
        )
    seconds = round(time.perf_counter() - started, 1)
    first, last = (100 * point["accuracy"] for point in (curve[0], curve[-1]))
    who = " ".join(map(str, run.about.values()))
    told = f"{who}: {state.steps_done} steps, held-out {first:.1f} -> {last:.1f}%"
    print(f"{told} in {seconds:.0f} s", flush=True)
    return {
        **run.about,
        "completions": budget,
        "seconds": seconds,
        **summed_up(folder, len(training_data.problems)),
        "prediction_error": curriculum.error(),
        "curve": curve,
    }


class Foretold:
    """A curriculum that is asked, before it learns of groups, which pass rates it expected."""

    def __init__(self, curriculum: Any) -> None:
        self._curriculum = curriculum
        self._squares: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._curriculum, name)

    def observe(self, results: Sequence[Any]) -> None:
        """Note how far the results are from what was expected, then hand them on.

        The square of the distance to the observed rate q of n attempts is that to the true rate
        plus q's variance, of which q (1 - q) / (n - 1) is an unbiased estimate.
        """
        told = [result for result in results if result.attempts > 1]
        if told:
            expected = self._curriculum.predict(
                [result.problem_id for result in told], step=told[0].step
            )
            attempts = np.array([result.attempts for result in told])
            rate = np.array([result.passes for result in told]) / attempts
            squares = (expected - rate) ** 2 - rate * (1 - rate) / (attempts - 1)
            self._squares += squares.tolist()
        self._curriculum.observe(results)

    def error(self) -> float | None:
        """Root mean square of expected minus true pass rate, over all groups of the run."""
        return float(np.sqrt(max(0.0, np.mean(self._squares)))) if self._squares else None


def measure(trainer: Any, scorer: Any) -> dict[str, Any]:
    """A point of the curve: held-out accuracy now, and what was spent up to here."""
    from rlcs.training.evaluate import Examinee, evaluate

    training_data, config, state = trainer.training_data, trainer.config, trainer.state
    examinee = Examinee(
        problems=training_data.heldout,
        renderer=training_data.renderer,
        rollouts=trainer.workers.rollouts,
        scorer=scorer,
    )
    found = evaluate(
        examinee,
        trainer.sampling,
        num_completions=config.evaluation.samples_per_problem,
        seed=config.run.seed,
    )
    return {
        "completions": state.num_rollouts,
        "tokens": state.num_tokens,
        "seconds": state.seconds,
        "step": state.steps_done,
        "accuracy": found.overall.accuracy,
        "greedy": found.overall.greedy,
        "by_category": {name: part.accuracy for name, part in found.by_category.items()},
    }


def summed_up(folder: Path, num_problems: int) -> dict[str, Any]:
    """What the log of a run says about its use of completions and its predictions."""
    steps, groups = (
        [json.loads(line) for line in (folder / "log" / f"{name}.jsonl").read_text().splitlines()]
        for name in ("steps", "groups")
    )
    told = [row["curriculum"] for row in steps if "brier" in row["curriculum"]]
    trained = sum(row["tokens"] for row in groups if row["fate"] == "trained")
    valid = [0 < row["passes"] < row["attempts"] for row in groups]
    rates = [row["passes"] / row["attempts"] for row in groups if row["attempts"]]
    return {
        "steps": len(steps),
        "generated_tokens": sum(row["tokens"] for row in steps),
        "trained_token_share": trained / sum(row["tokens"] for row in steps),
        "valid_share": sum(valid) / len(valid),
        "median_pass_rate": float(np.median(rates)),
        "coverage": len({row["problem_id"] for row in groups}) / num_problems,
        "brier": float(np.mean([row["brier"] for row in told])),
        "brier_baseline": float(np.mean([row["brier_baseline"] for row in told])),
    }
