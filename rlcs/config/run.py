"""The configuration of ``rlcs train``: the whole RL run, and the checks that span its sections.

Every key is known and typed; a key that is not is refused with the nearest known name
(``rlcs.config.messages`` makes the message). Checks that span sections live in
``RunConfig.check_across_sections``, so that nothing fails an hour into a run for
a reason that was visible at its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, field_validator, model_validator

from rlcs.config.cluster import FaultsSection, HardwareSection, ScheduleSection
from rlcs.config.curriculum import SECTIONS, AnyCurriculumSection
from rlcs.config.data import TrainingDataSection
from rlcs.config.learner import LearnerSection
from rlcs.config.model import ModelSection
from rlcs.config.rollout import RolloutSection
from rlcs.config.scoring import ScoringSection
from rlcs.config.section import NAME_PATTERN, Section


class RunSection(Section):
    """The run as a whole: its name, length and rhythm."""

    name: str = Field(default="run", pattern=NAME_PATTERN)
    """Names the run folder."""
    folder: str = "runs"
    """Where run folders lie."""
    seed: int = Field(default=0, ge=0)
    num_steps: int = Field(default=100, ge=1)
    groups_per_step: int = Field(default=32, ge=1)
    """Valid groups that one step trains on; more problems are drawn (see curriculum)."""
    save_every: int = Field(default=25, ge=1)
    """Steps between checkpoints; the last step is always saved."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Newest checkpoints kept; the best by held-out accuracy is kept beside them."""
    model_every: int = Field(default=1, ge=0)
    """Every so many checkpoints, one has a Hugging Face model folder beside the learner's state;
    the last one too. 0: none has one, and ``rlcs export`` makes it of any."""

    def saves_model(self, step: int) -> bool:
        """Whether the checkpoint of ``step`` gets a model folder."""
        if self.model_every <= 1 or step == self.num_steps:
            return self.model_every > 0
        return step % (self.save_every * self.model_every) == 0


class EvaluationSection(Section):
    """Held-out accuracy, before, during and after the run."""

    every_steps: int | None = Field(default=None, ge=1)
    """Steps between evaluations; before and after only when left out."""
    samples_per_problem: int = Field(default=4, ge=1)
    """Completions of each problem, sampled at the training temperature: k of avg@k and pass@k."""


class TrackingSection(Section):
    """Where metrics go in addition to the run folder."""

    tensorboard: bool = True
    wandb_project: str | None = None
    mlflow_experiment: str | None = None
    trackio_project: str | None = None
    prometheus: bool = Field(
        default=False, description="Gauges that Ray's own metrics endpoint of each node serves."
    )


class RunConfig(Section):
    """``rlcs train``: the RL run."""

    run: RunSection = RunSection()
    model: ModelSection
    data: TrainingDataSection
    rollout: RolloutSection = RolloutSection()
    scoring: ScoringSection = ScoringSection()
    curriculum: AnyCurriculumSection = Field(default_factory=lambda: SECTIONS["rlcs"](kind="rlcs"))
    learner: LearnerSection = LearnerSection()
    evaluation: EvaluationSection = EvaluationSection()
    tracking: TrackingSection = TrackingSection()
    hardware: HardwareSection = HardwareSection()
    schedule: ScheduleSection = ScheduleSection()
    faults: FaultsSection = FaultsSection()

    @field_validator("curriculum", mode="before")
    @classmethod
    def fill_curriculum_kind(cls, value: Any) -> Any:
        # A section that names no kind, or a single override, is of the default kind.
        return {"kind": "rlcs", **value} if isinstance(value, dict) else value

    @model_validator(mode="before")
    @classmethod
    def fill_correction(cls, value: Any) -> Any:
        """With vLLM the correction is on where nothing is said of it."""
        if not isinstance(value, dict):
            return value
        rollout, learner = value.get("rollout"), value.get("learner", {})
        by_vllm = isinstance(rollout, dict) and rollout.get("engine") == "vllm"
        if by_vllm and isinstance(learner, dict) and "correction" not in learner:
            return {**value, "learner": {**learner, "correction": {}}}
        return value

    @model_validator(mode="after")
    def check_across_sections(self) -> RunConfig:
        problems = [
            *self._batch_problems(),
            *self._token_budget_problems(),
            *self._schedule_problems(),
            *self._engine_problems(),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _batch_problems(self) -> Iterator[str]:
        groups, updates = self.run.groups_per_step, self.learner.updates_per_step
        if groups % updates:
            yield (
                f"run.groups_per_step = {groups} groups cannot be cut into "
                f"learner.updates_per_step = {updates} equal updates: {groups} / {updates} = "
                f"{groups / updates:.2f}. Use {_nearest_multiples(groups, updates)} groups, or a "
                f"number of updates that divides {groups}."
            )
        samples = groups // updates * self.rollout.group_size
        if samples < self.learner.num_ranks:
            yield (
                f"one update has {groups // updates} groups x {self.rollout.group_size} "
                f"completions = {samples} samples, fewer than learner.num_ranks = "
                f"{self.learner.num_ranks}: some ranks would learn nothing. "
                "Use more groups per step or fewer ranks."
            )

    def _token_budget_problems(self) -> Iterator[str]:
        yield from self.rollout.check_batch_tokens(self.hardware.device)
        yield from self.rollout.check_extra(self.hardware.device)

    def _schedule_problems(self) -> Iterator[str]:
        schedule = self.schedule
        if schedule.kind == "overlapped" and self.hardware.placement == "colocated":
            yield (
                "schedule.kind = overlapped needs engines that work while the learner does, and "
                "hardware.placement = colocated lets them use the same GPUs alternately. Use "
                "hardware.placement=separate, or schedule.kind=synchronous."
            )
        if schedule.kind == "synchronous" and schedule.segment_tokens is not None:
            yield (
                f"schedule.segment_tokens = {schedule.segment_tokens} interrupts completions for "
                "newer weights, and in schedule.kind = synchronous none come while they are "
                "sampled. Leave it out, or use schedule.kind=overlapped."
            )

    def _engine_problems(self) -> Iterator[str]:
        vllm, engine, device = self.rollout.vllm, self.rollout.engine, self.hardware.device
        if vllm.tensor_parallel_size > 1 and engine != "vllm":
            yield (
                f"rollout.vllm.tensor_parallel_size = {vllm.tensor_parallel_size} needs vLLM, but "
                f"rollout.engine = {engine}. Leave it out."
            )
        if vllm.transfer != "host" and (engine != "vllm" or device == "cpu"):
            yield (
                f"rollout.vllm.transfer = {vllm.transfer} needs vLLM on GPUs, but rollout.engine = "
                f"{engine} and hardware.device = {device}. Leave it out."
            )
        if vllm.transfer != "host" and self.learner.lora:
            yield (
                f"rollout.vllm.transfer = {vllm.transfer} sends all weights, but learner.lora "
                "trains adapters alone. Use rollout.vllm.transfer=host."
            )


def _nearest_multiples(count: int, divisor: int) -> str:
    below = count - count % divisor
    above = below + divisor
    return f"{below} or {above}" if below else str(above)
