"""The loop: draw, render, generate, score, observe, select, learn, publish, log.

Read :func:`train_step` and :func:`collect` first; everything else in ``rlcs`` serves one of
their lines. This is the synchronous schedule: every completion is sampled by the newest policy,
and nothing of a step depends on timing, so that a resumed run repeats it bit for bit.
``rlcs.training.overlap`` puts the same parts in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curricula import Curriculum, Fate
from rlcs.config import RunConfig
from rlcs.learner.advantages import training_samples
from rlcs.learner.packing import split_updates
from rlcs.learner.schedule import learning_rate
from rlcs.rollout.engine import Sampling
from rlcs.rollout.lengths import LengthHistory
from rlcs.run.batch import Batch
from rlcs.run.log import RunLog
from rlcs.run.state import TrainerState
from rlcs.training.data import TrainingData
from rlcs.training.groups import result_of, roll_out
from rlcs.training.step_row import Stopwatch, step_row
from rlcs.training.workers import Workers, policy_objective
from rlcs.types import RolloutGroup, StepReport


@dataclass(kw_only=True)
class Trainer:
    """The parts of a run, and its state between steps."""

    config: RunConfig
    training_data: TrainingData
    sampling: Sampling
    curriculum: Curriculum
    lengths: LengthHistory
    workers: Workers
    log: RunLog
    state: TrainerState


def train_step(trainer: Trainer) -> dict[str, Any]:
    """One step of the run; returns its row of ``steps.jsonl``."""
    watch = Stopwatch()
    batch = collect(trainer, trainer.state.steps_done + 1)
    return update(trainer, batch, watch)


def collect(trainer: Trainer, step: int) -> Batch:
    """Draw, generate, score, observe and select the groups of ``step``."""
    config, curriculum, state = trainer.config, trainer.curriculum, trainer.state
    watch = Stopwatch()
    drawn: list[RolloutGroup] = []
    while draws := curriculum.draw(config.run.groups_per_step, step=step):
        with watch.measure("rollout"):
            groups = roll_out(
                draws,
                trainer.training_data,
                trainer.workers.rollouts,
                trainer.sampling,
                trainer.lengths,
                group_size=config.rollout.group_size,
                seed=config.run.seed,
                step=step,
                screening=curriculum.screening,
            )
        watch.add("rollout_idle", trainer.workers.rollouts.timing.idle_seconds)
        curriculum.observe([result_of(group, step) for group in groups])
        drawn += groups

    candidates = [*state.carried, *drawn]
    fates = curriculum.select(
        [result_of(group, step) for group in candidates], config.run.groups_per_step
    )
    batch = Batch(
        step=step,
        drawn=drawn,
        candidates=candidates,
        fates=fates,
        curriculum=curriculum.metrics(),
        seconds=watch.seconds,
    )
    state.carried = batch.with_fate(Fate.CARRIED)
    return batch


def update(trainer: Trainer, batch: Batch, watch: Stopwatch) -> dict[str, Any]:
    """Learn from ``batch``, publish the new version and log the step; returns its row."""
    state, step = trainer.state, batch.step
    trained = batch.with_fate(Fate.TRAINED)
    version_before = state.policy_version
    with watch.measure("learn"):
        reports = learn(trainer, trained, step)
    with watch.measure("publish"):
        if reports:
            state.policy_version += 1
            trainer.workers.publish(state.policy_version)

    state.steps_done = step
    state.num_rollouts += sum(len(group.completions) for group in batch.drawn)
    state.num_tokens += sum(group.num_tokens for group in batch.drawn)
    state.seconds += watch.total_seconds()
    row = step_row(
        batch,
        trained=trained,
        version_before=version_before,
        version_after=state.policy_version,
        reports=reports,
        watch=watch,
    )
    trainer.log.write_groups(step, batch.candidates, batch.fates)
    trainer.log.write_rollouts(step, batch.drawn)
    trainer.log.write_step(step, row)
    return row


def learn(trainer: Trainer, groups: list[RolloutGroup], step: int) -> list[StepReport]:
    """The optimiser steps on a batch of groups; none when there is nothing to learn from."""
    settings = trainer.config.learner
    num_steps, num_updates = trainer.config.run.num_steps, settings.updates_per_step
    objective = policy_objective(trainer.config)
    token_budget = trainer.config.rollout.max_completion_tokens
    samples = training_samples(groups, settings, token_budget=token_budget)
    if not samples:
        return []  # the engines stay as they are, for no new weights will come
    trainer.workers.make_room()
    if objective.correction and num_updates > 1:
        samples = trainer.workers.learner.with_proximal(samples, objective)
    return [
        trainer.workers.learner.learn(
            part,
            objective,
            loss=settings.loss,
            token_budget=token_budget,
            learning_rate=learning_rate(
                settings, (step - 1) * num_updates + update, num_steps * num_updates
            ),
        )
        for update, part in enumerate(split_updates(samples, num_updates))
    ]


def run_steps(
    trainer: Trainer,
    take_step: Callable[[], dict[str, Any]],
    *,
    after_step: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> None:
    """Train until the last step, or until ``should_stop`` says so after a whole step."""
    while trainer.state.steps_done < trainer.config.run.num_steps and not should_stop():
        after_step(take_step())
