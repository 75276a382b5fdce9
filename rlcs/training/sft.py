"""``rlcs sft``: the cold start, which teaches the form of a response before RL begins.

The same learner as the RL run, with the likelihood of demonstrated responses in place of
the policy loss. Every token of a response weighs the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import SftConfig
from rlcs.data import Renderer, load_problems
from rlcs.errors import DatasetError, RunFolderError
from rlcs.files import check_room, whole, writing
from rlcs.learner.actors import Learner, rank_settings
from rlcs.learner.losses import ImitationObjective
from rlcs.learner.schedule import learning_rate
from rlcs.model.loading import folder_bytes
from rlcs.run.progress import Progress
from rlcs.scoring import Scorer
from rlcs.seeds import derive_seed
from rlcs.types import Problem, TrainingSample

SHOWN_EVERY = 20
"""Steps between progress lines."""


def sft(config: SftConfig) -> int:
    """Train and write ``config.output``; returns the exit status.

    Raises:
        RunFolderError: the output folder exists already.
        DatasetError: rows without a response to imitate, or too long.
        StorageError: the disk has no room for the model, is read-only or gone.
    """
    output = Path(config.output)
    if output.exists():
        raise RunFolderError(
            f"the output folder {output} exists already; remove it or use another."
        )
    check_room("the model", output, needed_bytes=folder_bytes(config.model.path))
    renderer = Renderer.of_model(config.model, config.sft.max_tokens)
    with closing(Scorer(config.scoring)) as scorer:
        loaded = load_problems(config, pool=scorer.pool)
    samples = demonstrations(loaded.train, renderer, config.sft.max_tokens)
    progress = Progress(num_steps=0, steps_done=0)
    for note in loaded.notes:
        progress.say(note)
    plan = start_cluster(config.hardware, Needs(num_engines=0, num_ranks=config.sft.num_ranks))
    try:
        settings = rank_settings(
            model_path=config.model.location,
            dtype=config.model.dtype,
            trust_code=config.model.trust_code,
            image_tokens=config.model.image_tokens,
            seed=config.seed,
            optimiser=config.sft,
            ranks=config.sft,
            plan=plan,
            trained=config.sft,
        )
        learner = Learner(settings, plan=plan)
        learner.wait_until_ready()
        rows = _learn_all(config, learner, samples, progress)
        _write_model(output, learner, renderer, rows)
    finally:
        stop_cluster()
    progress.say(f"done: {output}")
    return 0


def demonstrations(
    problems: Sequence[Problem], renderer: Renderer, max_tokens: int
) -> list[TrainingSample]:
    """The samples of problems and their demonstrated responses, as the learner reads them.

    Raises:
        DatasetError: rows are longer than ``max_tokens``; the message names some of them.
    """
    samples, too_long = [], []
    encoded = renderer.encode_demonstrations(problems)
    for problem, (prompt, response) in zip(problems, encoded, strict=True):
        if len(prompt) + len(response) > max_tokens:
            too_long.append(f"{problem.where} with {len(prompt) + len(response)} tokens")
        samples.append(
            TrainingSample(
                token_ids=np.concatenate([prompt, response]),
                num_prompt_tokens=len(prompt),
                old_logprobs=np.zeros(len(response), dtype=np.float32),
                loss_mask=np.ones(len(response), dtype=bool),
                advantage=1.0,
                images=problem.images,
            )
        )
    if too_long:
        raise DatasetError(
            f"{len(too_long)} rows are longer than sft.max_tokens = {max_tokens}: "
            f"{', '.join(too_long[:10])}. Raise sft.max_tokens or take these rows out."
        )
    return samples


def _learn_all(
    config: SftConfig, learner: Learner, samples: Sequence[TrainingSample], progress: Progress
) -> list[dict[str, Any]]:
    batches = list(_batches(config, len(samples)))
    started = time.perf_counter()
    rows = []
    for step, batch in enumerate(batches):
        report = learner.learn(
            [samples[index] for index in batch],
            ImitationObjective(),
            loss="per_token",
            learning_rate=learning_rate(config.sft, step, len(batches)),
        )
        seconds = time.perf_counter() - started
        if report.skipped:
            progress.say(f"step {step + 1}/{len(batches)} was skipped: its gradient is not finite")
            continue
        rows.append(
            {
                "step": step + 1,
                "loss": report.loss,
                "grad_norm": report.grad_norm,
                "learning_rate": report.learning_rate,
                "tokens": report.num_loss_tokens,
                "seconds": seconds,
            }
        )
        if (step + 1) % SHOWN_EVERY == 0 or step + 1 == len(batches):
            left = seconds / (step + 1) * (len(batches) - step - 1)
            progress.say(
                f"step {step + 1}/{len(batches)}  loss {report.loss:.4f}  "
                f"grad {report.grad_norm:.2f}  {seconds:.0f} s  left {left:.0f} s"
            )
    return rows


def _batches(config: SftConfig, num_samples: int) -> Iterator[np.ndarray]:
    """Indices of each step: every epoch in its own order, the last batch of it may be smaller."""
    for epoch in range(config.sft.num_epochs):
        order = np.random.default_rng(derive_seed(config.seed, "sft", epoch)).permutation(
            num_samples
        )
        for start in range(0, num_samples, config.sft.batch_size):
            yield order[start : start + config.sft.batch_size]


def _write_model(
    output: Path, learner: Learner, renderer: Renderer, rows: Sequence[dict[str, Any]]
) -> None:
    """Write the model folder, with the log of the steps in it."""
    needed = folder_bytes(learner.settings.model_path)
    with writing("the model", output, needed_bytes=needed), whole(output) as partial:
        partial.mkdir(parents=True)
        learner.export(str(partial.resolve()))
        renderer.save(partial)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (partial / "sft_steps.jsonl").write_text(text)
