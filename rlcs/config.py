"""The whole run as strict, frozen pydantic models: one tree, checked once, before anything starts.

Every key is known and typed; a key that is not is refused with the nearest known name
(``rlcs.config_file`` makes the message). Checks that span sections live in
``RunConfig.check_across_sections``, so that nothing fails an hour into a run for
a reason that was visible at its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from rlcs.cluster_sections import FaultsSection, HardwareSection, ScheduleSection
from rlcs.curriculum_section import SECTIONS, AnyCurriculumSection
from rlcs.data_section import DataSection, TrainingDataSection
from rlcs.section import Section


class RunSection(Section):
    """The run as a whole: its name, length and rhythm."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the run folder."""
    folder: str = "runs"
    """Where run folders lie."""
    seed: int = Field(default=0, ge=0)
    num_steps: int = Field(default=100, ge=1)
    groups_per_step: int = Field(default=32, ge=1)
    """Valid groups that one step trains on; more are rolled out (see curriculum)."""
    save_every: int = Field(default=25, ge=1)
    """Steps between checkpoints; the last step is always saved."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Newest checkpoints kept; the best by held-out accuracy is kept beside them."""


class ModelSection(Section):
    """The policy that is trained."""

    path: str
    """A Hugging Face model folder or hub id."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of weights and arithmetic; float32 on a CPU."""


class VllmSection(Section):
    """The engines where ``rollout.engine`` is ``vllm``."""

    tensor_parallel_size: int = Field(default=1, ge=1)
    """GPUs that one engine is spread over; on a CPU, processes."""
    max_rows: int = Field(default=256, ge=1)
    """Completions that an engine draws at the same time."""
    memory_share: float = Field(default=0.9, gt=0, lt=1)
    """Share of a GPU's memory for weights and key-value cache; less where a learner shares it."""
    cache_gib: float | None = Field(default=None, gt=0)
    """Key-value cache. Left out: what ``memory_share`` leaves, or ``batch_tokens`` on a CPU."""
    transfer: Literal["host", "nccl", "cuda_ipc"] = "host"
    """How new weights come: by the host's memory, or from GPU to GPU: ``nccl`` where engines and
    ranks have their own, ``cuda_ipc`` where they share them."""


class RolloutSection(Section):
    """How completions are drawn."""

    engine: Literal["transformers", "vllm"] = "transformers"
    num_actors: int = Field(default=1, ge=1)
    group_size: int = Field(default=8, ge=2)
    """Completions of one problem, G."""
    temperature: float = Field(default=1.0, gt=0)
    max_prompt_tokens: int = Field(default=512, ge=1)
    max_thinking_tokens: int = Field(default=512, ge=1)
    max_answer_tokens: int = Field(default=64, ge=1)
    """Tokens after the thinking budget."""
    force_answer: str | None = "</think><answer>"
    """Inserted when thinking runs over its budget; null lets it run into the length limit."""
    batch_tokens: int = Field(default=65536, ge=1)
    """Tokens (rows times longest possible row) that an engine holds at once."""
    vllm: VllmSection = VllmSection()

    @property
    def engine_width(self) -> int:
        """GPUs of one node that one engine has to itself; without GPUs, its processes."""
        return self.vllm.tensor_parallel_size if self.engine == "vllm" else 1

    @property
    def max_completion_tokens(self) -> int:
        """The drawn tokens of a completion, inserted ones not counted."""
        return self.max_thinking_tokens + self.max_answer_tokens


class DomainScoringSection(Section):
    """How one domain is judged."""

    pass_mark: float | None = Field(default=None, ge=0, le=1)
    """A verdict passes from this score on; the domain's own mark when left out."""
    verifier: str | None = None
    """Import path ``module:function`` of your own verifier."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the domain's verifier."""


class ScoringSection(Section):
    """How completions are judged."""

    num_workers: int = Field(default=1, ge=1)
    """Killable verifier processes."""
    deadline_seconds: float = Field(default=1.0, gt=0)
    """One check may take this long; then its worker is killed and replaced."""
    domains: dict[str, DomainScoringSection] = Field(default_factory=dict)


class OptimiserSection(Section):
    """AdamW with warm-up: shared by the cold start and the RL run."""

    learning_rate: float = Field(default=1e-6, gt=0)
    warmup_steps: int = Field(default=0, ge=0)
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the rate falls from the end of the warm-up to the last step."""
    weight_decay: float = Field(default=0.0, ge=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)


class RanksSection(Section):
    """The DeepSpeed ranks and how a batch is cut for them."""

    num_ranks: int = Field(default=1, ge=1)
    zero_stage: Literal[0, 1, 2, 3] = 0
    micro_batch_tokens: int = Field(default=16384, ge=1)
    """Tokens (rows times longest row) that one forward and backward pass holds."""


class CorrectionSection(Section):
    """Importance weights between the policy that drew a token and the learner's."""

    level: Literal["token", "sequence"] = "token"
    """A weight for each token, or one for a whole completion."""
    mode: Literal["truncate", "mask"] = "truncate"
    """Cap weights at ``high``, or leave out what lies outside of ``low`` to ``high``."""
    low: float = Field(default=0.5, gt=0, lt=1)
    high: float = Field(default=2.0, gt=1)


class LoraSection(Section):
    """Adapters that are trained in place of the model's own weights."""

    rank: int = Field(default=16, ge=1, le=512)
    alpha: int = Field(default=32, ge=1)
    """Their output is multiplied by alpha / rank."""
    targets: list[str] | None = Field(default=None, min_length=1)
    """Linear layers that get one, for example ``q_proj``; all but the output layer if left out."""


class LearnerSection(OptimiserSection, RanksSection):
    """GRPO, as published for RLCS: no KL term, no entropy term, clip-higher."""

    loss: Literal["per_sample", "per_token"] = "per_sample"
    """Mean within each completion, then over completions; or one mean over all tokens."""
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    clip_high: float = Field(default=0.28, gt=0)
    normalise_advantages: bool = True
    """Divide a group's advantages by their standard deviation."""
    updates_per_step: int = Field(default=1, ge=1)
    """Optimiser steps made of one batch of groups."""
    publish_bucket_mib: float = Field(default=256, gt=0)
    """New weights go to the engines in buckets of at most this size."""
    correction: CorrectionSection | None = None
    """For engines that compute otherwise than the learner, and for the overlapped schedule; left
    out, the clip alone bounds the step from the drawing policy."""
    lora: LoraSection | None = None
    """Train adapters alone; all weights when left out."""


class EvaluationSection(Section):
    """Held-out accuracy, before, during and after the run."""

    every_steps: int | None = Field(default=None, ge=1)
    """Steps between evaluations; before and after only when left out."""
    samples_per_problem: int = Field(default=4, ge=1)
    """k of avg@k and pass@k, drawn at the training temperature."""


class TrackingSection(Section):
    """Where metrics go besides the run folder."""

    tensorboard: bool = True
    wandb_project: str | None = None
    mlflow_experiment: str | None = None


class SftSection(OptimiserSection, RanksSection):
    """The cold start."""

    num_epochs: int = Field(default=1, ge=1)
    batch_size: int = Field(default=64, ge=1)
    """Responses an optimiser step learns from."""
    max_tokens: int = Field(default=2048, ge=2)
    """Longest prompt and response together; longer rows are refused."""


class SftConfig(Section):
    """``rlcs sft``: supervised fine-tuning on demonstrated responses."""

    run_name: str = Field(default="sft", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = Field(default=0, ge=0)
    output: str
    """Folder of the trained model."""
    model: ModelSection
    data: DataSection
    sft: SftSection = SftSection()
    scoring: ScoringSection = ScoringSection()
    hardware: HardwareSection = HardwareSection()


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
        rollout = self.rollout
        longest = rollout.max_prompt_tokens + rollout.max_completion_tokens
        for key, budget in (
            ("learner.micro_batch_tokens", self.learner.micro_batch_tokens),
            ("rollout.batch_tokens", rollout.batch_tokens),
        ):
            if budget < longest:
                yield (
                    f"{key} = {budget} is less than one row can need: max_prompt_tokens "
                    f"{rollout.max_prompt_tokens} + max_thinking_tokens "
                    f"{rollout.max_thinking_tokens} + max_answer_tokens "
                    f"{rollout.max_answer_tokens} = {longest}. Raise {key} to {longest} or more."
                )

    def _schedule_problems(self) -> Iterator[str]:
        schedule = self.schedule
        if schedule.kind == "overlapped" and self.hardware.placement == "colocated":
            yield (
                "schedule.kind = overlapped needs engines that work while the learner does, and "
                "hardware.placement = colocated lets them take turns on the same GPUs. Use "
                "hardware.placement=separate, or schedule.kind=synchronous."
            )
        if schedule.kind == "synchronous" and schedule.segment_tokens is not None:
            yield (
                f"schedule.segment_tokens = {schedule.segment_tokens} interrupts completions for "
                "newer weights, and in schedule.kind = synchronous none come while they are "
                "drawn. Leave it out, or use schedule.kind=overlapped."
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
