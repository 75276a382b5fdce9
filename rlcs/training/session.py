"""``rlcs train``: a run from its configuration to its summary, new or resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from curricula import Curriculum, DamagedStateError
from rewards.shown import shown_line
from rlcs.activity import doing
from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.ray_cluster import Patience, stop_cluster
from rlcs.config import RunConfig, write_config
from rlcs.data import Renderer, most_shown, write_dropped
from rlcs.errors import (
    EngineError,
    LearningError,
    LostProcessError,
    ResumeError,
    StoreFullError,
    sentence,
)
from rlcs.files import check_room, write_whole, writing
from rlcs.rollout.lengths import LengthHistory
from rlcs.rollout.settings import training_sampling
from rlcs.run.alarms import Alarm, AlarmWatch
from rlcs.run.checkpoint import Checkpoints, damaged, read_state
from rlcs.run.disk import checkpoint_bytes, saying_what_is_saved, way_on
from rlcs.run.fault_log import FaultLog
from rlcs.run.folder import CONFIG_NAME, check_resumable, free_run_folder, read_run_config
from rlcs.run.interruption import INTERRUPTED, interruption
from rlcs.run.log import RunLog, append_row
from rlcs.run.problem_file import write_problems
from rlcs.run.progress import Progress
from rlcs.run.state import TrainerState
from rlcs.run.trackers import check_packages
from rlcs.training.data import TrainingData, load_training_data, make_run_curriculum
from rlcs.training.evaluate import Evaluation, Examinee, evaluate
from rlcs.training.loop import Trainer, run_steps
from rlcs.training.schedules import Schedule, make_schedule
from rlcs.training.workers import Workers, start_workers


def train(config: RunConfig, resume: Path | None = None, *, reconcile: bool = False) -> int:
    """Train to the end of the run; returns the exit status.

    With ``resume`` the run in that folder goes on from its last checkpoint, exactly as it
    would have; ``config`` may then differ from the run's own in what changes no step. With
    ``reconcile`` the data may differ, too: the run then goes on with what is known of the
    problems that are still there, and is no longer the one it would have been.
    """
    if resume is None:
        folder, checkpoint, changes = free_run_folder(config), None, []
    else:
        old = read_run_config(resume)
        folder, changes = resume, check_resumable(old, config, reconcile=reconcile)
        checkpoint = _last_checkpoint(resume, config)
    check_packages(config.tracking)
    check_room("a checkpoint", folder, needed_bytes=checkpoint_bytes(config, folder))
    with Progress(num_steps=config.run.num_steps) as progress:
        with doing("reading and checking the problems"):
            training_data = load_training_data(config)
        with closing(training_data):
            training_data.notes.extend(f"changed: {change}" for change in changes)
            return _run(config, folder, training_data, checkpoint, progress, reconcile=reconcile)


def _last_checkpoint(run: Path, config: RunConfig) -> Path:
    checkpoints = Checkpoints(run / "checkpoints", keep=1)
    checkpoints.best()  # refused now, and not when the run saves
    checkpoint = checkpoints.latest()
    if checkpoint is None:
        raise ResumeError(
            f"{run} has no complete checkpoint: the run ended before its first save. "
            f"Remove the folder and start again; run.save_every={config.run.save_every} "
            "sets how often it saves."
        )
    return checkpoint


def _run(
    config: RunConfig,
    folder: Path,
    training_data: TrainingData,
    checkpoint: Path | None,
    progress: Progress,
    *,
    reconcile: bool,
) -> int:
    """Train to the end, again from the last checkpoint when a process was lost for good."""
    for note in training_data.notes:
        progress.say(note)
    on_fault = FaultLog(folder, progress)
    before: str | None = None
    for restarts_left in reversed(range(config.faults.max_restarts + 1)):
        state, curriculum = _load(config, training_data, checkpoint, reconcile=reconcile)
        try:
            progress.say(f"starting {_in_words(config)}")
            renderer = training_data.renderer
            shown = most_shown(training_data.problems, training_data.heldout)
            if before is None:
                workers = start_workers(config, renderer, shown=shown, on_fault=on_fault)
            else:
                workers = _start_again(
                    config, folder, renderer, progress, on_fault, before, shown=shown
                )
            before = workers.placement_kind
            if checkpoint:
                _load_learner(workers, checkpoint)
                workers.publish(state.policy_version)
                progress.say(f"resuming {folder} after step {state.steps_done}")
            with saying_what_is_saved(folder):
                return _run_session(
                    config, folder, training_data, state, curriculum, workers, progress
                )
        except (LostProcessError, StoreFullError) as error:  # a new start empties the store
            if not restarts_left:
                raise
            checkpoint = Checkpoints(folder / "checkpoints", keep=1).latest()
            where = checkpoint.name if checkpoint else "the beginning"
            on_fault(
                Fault(
                    what="a process of the run was lost:"
                    if isinstance(error, LostProcessError)
                    else "the run got stuck:",
                    detail=str(error),
                    remedy=f"Going on from {where}; {restarts_left} restarts are left "
                    "(faults.max_restarts).",
                )
            )
        finally:
            stop_cluster()
    raise AssertionError("the last attempt returns or raises")


def _start_again(
    config: RunConfig,
    folder: Path,
    renderer: Renderer,
    progress: Progress,
    on_fault: FaultListener,
    placement: str,
    *,
    shown: Mapping[str, int],
) -> Workers:
    """Start the workers on a cluster that may have lost nodes, placed as they were before.

    With GPUs gone they would otherwise start on CPUs, or share what they had not to share.

    Raises:
        EngineError: the nodes did not come back; the message says how to go on when they do.
    """
    hardware = {"device": "cpu"} if placement == "cpu" else {"device": "cuda"}
    if placement != "cpu":
        hardware["placement"] = placement
    section = config.hardware.model_copy(update=hardware)
    try:
        return start_workers(
            config.model_copy(update={"hardware": section}),
            renderer,
            shown=shown,
            on_fault=on_fault,
            patience=Patience(seconds=config.faults.wait_for_nodes_seconds, say=progress.say),
        )
    except (LostProcessError, StoreFullError):
        raise
    except EngineError as error:
        raise EngineError(f"{sentence(error)} {way_on(folder)}") from error


def _in_words(config: RunConfig) -> str:
    engines, ranks = config.rollout.num_actors, config.learner.num_ranks
    return (
        f"{engines} rollout engine{'s' * (engines > 1)} ({config.rollout.engine}) and "
        f"{ranks} learner rank{'s' * (ranks > 1)}"
    )


def _load(
    config: RunConfig, training_data: TrainingData, checkpoint: Path | None, *, reconcile: bool
) -> tuple[TrainerState, Curriculum]:
    """The state of the run and its curriculum, new or as ``checkpoint`` holds them."""
    state = read_state(checkpoint) if checkpoint else TrainerState()
    try:
        curriculum = make_run_curriculum(
            config, training_data.problems, state.curriculum, reconcile=reconcile
        )
    except DamagedStateError as error:
        assert checkpoint is not None
        raise damaged(checkpoint, f"the curriculum's state: {error}") from error
    expected = set(curriculum.carried)
    if reconcile:  # the groups of problems that are gone or edited count as surplus
        state.carried = [group for group in state.carried if group.problem.problem_id in expected]
    if checkpoint and {group.problem.problem_id for group in state.carried} != expected:
        raise damaged(
            checkpoint,
            f"the state: expected the groups that the curriculum carried over ({len(expected)}), "
            f"found {len(state.carried)} others",
        )
    return state, curriculum


def _load_learner(workers: Workers, checkpoint: Path) -> None:
    try:
        workers.learner.load(str((checkpoint / "learner").resolve()))
    except LearningError as error:
        raise damaged(checkpoint, f"the learner's state: {error}") from error


def _run_session(
    config: RunConfig,
    folder: Path,
    training_data: TrainingData,
    state: TrainerState,
    curriculum: Curriculum,
    workers: Workers,
    progress: Progress,
) -> int:
    """Run one session, which goes on from ``state``; returns the exit status."""
    # The folder is made, or touched, once everything stands that could be refused.
    with writing("the run's configuration", folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_config(config, folder / CONFIG_NAME)
    write_dropped(folder, training_data.dropped)
    write_problems(folder, train=training_data.problems, heldout=training_data.heldout)
    log = RunLog(folder, config.tracking, position=state.log_position, steps_done=state.steps_done)
    with log:
        trainer = Trainer(
            config=config,
            training_data=training_data,
            sampling=training_sampling(config.rollout),
            curriculum=curriculum,
            lengths=LengthHistory(state.lengths),
            workers=workers,
            log=log,
            state=state,
        )
        with closing(make_schedule(trainer)) as schedule:
            return RunSession(trainer, schedule, folder, progress).run()


class RunSession:
    """One session of a run: it takes the steps, saves and evaluates between them, and sums up."""

    def __init__(
        self, trainer: Trainer, schedule: Schedule, folder: Path, progress: Progress
    ) -> None:
        self.trainer = trainer
        self.schedule = schedule
        self.folder = folder
        self.progress = progress
        self.checkpoints = Checkpoints(
            folder / "checkpoints", keep=trainer.config.run.keep_checkpoints
        )
        self.saved_step = trainer.state.steps_done
        self._alarms = AlarmWatch()

    def run(self) -> int:
        """Evaluate, train, evaluate, sum up; returns the exit status."""
        state, config = self.trainer.state, self.trainer.config
        if state.accuracy_before is None and self.trainer.training_data.heldout:
            state.accuracy_before = self._evaluate("before training").as_json()
        self.progress.begin_after(state.steps_done)
        with interruption("this step") as interrupted:
            run_steps(
                self.trainer,
                self._take_step,
                after_step=self._after_step,
                should_stop=lambda: bool(interrupted),
            )
        if state.steps_done < config.run.num_steps:
            if self.saved_step != state.steps_done:
                self._save()
            self.progress.say(
                f"stopped after step {state.steps_done} and saved. "
                f"Go on with: rlcs train --resume {self.folder}"
            )
            return INTERRUPTED
        self._finish()
        return 0

    def _take_step(self) -> dict[str, Any]:
        state, num_steps = self.trainer.state, self.trainer.config.run.num_steps
        with doing(f"step {state.steps_done + 1} of {num_steps}"):
            return self.schedule.take_step()

    def _after_step(self, row: dict[str, Any]) -> None:
        config, step = self.trainer.config, row["step"]
        self.progress.show_step(row)
        self._tell(self._alarms.step(row))
        every = config.evaluation.every_steps
        last = step == config.run.num_steps
        if every and step % every == 0 and not last and self.trainer.training_data.heldout:
            self._note_best(self._evaluate(f"after step {step}"))
        if step % config.run.save_every == 0 and self.saved_step != step and not last:
            self._save()

    def _finish(self) -> None:
        state = self.trainer.state
        if self.saved_step != state.steps_done:
            self._save()  # before the evaluation, which may be long and be interrupted
        after = None
        if self.trainer.training_data.heldout:
            evaluation = self._evaluate("after training")
            after = evaluation.as_json()
            self._note_best(evaluation)
        summary = {
            "steps": state.steps_done,
            "rollouts": state.num_rollouts,
            "generated_tokens": state.num_tokens,
            "seconds": round(state.seconds, 3),
            "eval": {"before": state.accuracy_before, "after": after},
        }
        path = self.folder / "summary.json"
        with writing("the summary", self.folder):
            write_whole(path, json.dumps(summary, indent=2) + "\n")
        self.progress.say(f"done: {path}; export the model with: rlcs export {self.folder} OUT")

    def _evaluate(self, when: str) -> Evaluation:
        trainer, started = self.trainer, time.perf_counter()
        number = len(trainer.training_data.heldout)
        self.progress.say(f"evaluating {when} on {number} held-out problems")
        examinee = Examinee(
            problems=trainer.training_data.heldout,
            renderer=trainer.training_data.renderer,
            rollouts=trainer.workers.rollouts,
            scorer=trainer.training_data.scorer,
        )
        with doing(f"evaluating {when}"):
            evaluation = evaluate(
                examinee,
                trainer.sampling,
                num_completions=trainer.config.evaluation.samples_per_problem,
                seed=trainer.config.run.seed,
            )
        self.progress.say(f"held-out accuracy {when}: {describe(evaluation)}")
        if len(evaluation.by_domain) > 1:
            self.progress.say(describe_domains(evaluation))
        step, took = trainer.state.steps_done, time.perf_counter() - started
        row = {"step": step, "time": time.time(), "seconds": took, **evaluation.as_json()}
        append_row(self.folder, "evaluations", row)
        self._tell(self._alarms.evaluation(step, evaluation.overall.accuracy))
        return evaluation

    def _tell(self, alarms: Sequence[Alarm]) -> None:
        for alarm in alarms:
            self.progress.say(alarm.line)
            append_row(self.folder, "alarms", {"time": time.time(), **alarm.as_json()})

    def _note_best(self, evaluation: Evaluation) -> None:
        """Remember and save the best version so far."""
        state, accuracy = self.trainer.state, evaluation.overall.accuracy
        if accuracy is None or (
            state.best_accuracy is not None and accuracy <= state.best_accuracy
        ):
            return
        state.best_accuracy, state.best_step = accuracy, state.steps_done
        self._save()

    def _save(self) -> None:
        trainer = self.trainer
        self.schedule.settle()
        trainer.state.lengths = trainer.lengths.state()
        trainer.state.curriculum = trainer.curriculum.state_dict()
        trainer.state.log_position = trainer.log.position()
        needed = checkpoint_bytes(trainer.config, self.folder)
        what = f"the checkpoint of step {trainer.state.steps_done}"
        with (
            doing(f"saving {what}"),
            writing(what, self.checkpoints.folder, needed_bytes=needed),
        ):
            self.checkpoints.save(
                trainer.state,
                trainer.workers.learner,
                trainer.training_data.renderer,
                with_model=trainer.config.run.saves_model(trainer.state.steps_done),
            )
        self.saved_step = trainer.state.steps_done


def describe(evaluation: Evaluation) -> str:
    """An evaluation in one line: avg@k, pass@k and the greedy accuracy."""
    part, k = evaluation.overall, evaluation.num_completions
    shown = [(f"avg@{k}", part.accuracy), (f"pass@{k}", part.pass_at_k), ("greedy", part.greedy)]
    text = ", ".join(f"{name} {100 * value:.1f}%" for name, value in shown if value is not None)
    return f"{text or 'nothing could be judged'} over {part.num_problems} problems"


def describe_domains(evaluation: Evaluation) -> str:
    """The sampled accuracy of each domain in one line."""
    shares = [
        f"{shown_line(name)} {'-' if part.accuracy is None else f'{100 * part.accuracy:.1f}%'}"
        for name, part in sorted(evaluation.by_domain.items())
    ]
    return f"avg@{evaluation.num_completions} by domain: {', '.join(shares)}"
