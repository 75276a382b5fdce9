"""The learner section: the optimiser, the DeepSpeed ranks, and the loss of the RL run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rlcs.config.objective import ObjectiveSection
from rlcs.config.section import Section


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
    """Tokens that one forward and backward pass holds, prompts counted once. A prompt and
    completion that are longer together run alone."""
    offload_optimizer: bool = False
    """Keep the optimiser's state, and make its steps, in the host's memory: 12 bytes a trained
    parameter less on the GPUs, and slower steps. Needs a ZeRO stage of 1 or more."""
    recompute_activations: bool | None = None
    """Keep one vector a layer and token for the backward pass and compute the rest again: a third
    more work, a tenth of the memory. Left out, models of half a billion parameters on do so."""

    @model_validator(mode="after")
    def check_offload(self) -> RanksSection:
        if self.offload_optimizer and self.zero_stage == 0:
            raise ValueError(
                "offload_optimizer needs a zero_stage of 1, 2 or 3, found 0. Use zero_stage=2, "
                "with one rank, too."
            )
        return self


class LoraSection(Section):
    """Adapters that are trained in place of the model's own weights."""

    rank: int = Field(default=16, ge=1, le=512)
    alpha: int = Field(default=32, ge=1)
    """Their output is multiplied by alpha / rank."""
    targets: list[str] | None = Field(default=None, min_length=1)
    """Linear layers of the language model that get one, such as ``q_proj``; all of them but the
    output layer when left out."""


class TrainedSection(Section):
    """What of a model is trained."""

    train: Literal["all", "language", "adapters"] = "all"
    """All weights, all but the vision tower and its projector, or adapters alone."""
    lora: LoraSection | None = None
    """The adapters; to name them is to train them alone."""

    @model_validator(mode="before")
    @classmethod
    def fill_adapters(cls, value: Any) -> Any:
        """Either of the two keys says that adapters are trained."""
        if not isinstance(value, dict):
            return value
        if value.get("lora") is not None and "train" not in value:
            return {**value, "train": "adapters"}
        if value.get("train") == "adapters" and value.get("lora") is None:
            return {**value, "lora": {}}
        return value

    @model_validator(mode="after")
    def check_adapters(self) -> TrainedSection:
        if self.lora is not None and self.train != "adapters":
            raise ValueError(
                f"train = {self.train} and lora are both given, but with adapters nothing else is "
                "trained. Leave one of them out."
            )
        return self


class LearnerSection(ObjectiveSection, TrainedSection, OptimiserSection, RanksSection):
    """The learner of the RL run."""

    updates_per_step: int = Field(default=1, ge=1)
    """Optimiser steps made of one batch of groups."""
    publish_bucket_mib: float = Field(default=256, gt=0)
    """New weights go to the engines in buckets of at most this size."""
