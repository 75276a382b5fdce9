"""The configuration of ``rlcs sft``, the cold start."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, model_validator

from rlcs.config.cluster import HardwareSection
from rlcs.config.data import DataSection
from rlcs.config.learner import OptimiserSection, RanksSection, TrainedSection
from rlcs.config.model import ModelSection
from rlcs.config.scoring import ScoringSection
from rlcs.config.section import NAME_PATTERN, Section


class SftSection(TrainedSection, OptimiserSection, RanksSection):
    """The cold start."""

    num_epochs: int = Field(default=1, ge=1)
    batch_size: int = Field(default=64, ge=1)
    """Responses an optimiser step learns from."""
    max_tokens: int = Field(default=2048, ge=2)
    """Longest prompt and response together; longer rows are refused."""
    save_every: int = Field(default=100, ge=1)
    """Steps between checkpoints, from which ``rlcs sft --resume`` goes on; the last one is kept
    until the model is written."""


class SftConfig(Section):
    """``rlcs sft``: supervised fine-tuning on demonstrated responses."""

    run_name: str = Field(default="sft", pattern=NAME_PATTERN)
    seed: int = Field(default=0, ge=0)
    output: str
    """Folder of the trained model."""
    model: ModelSection
    data: DataSection
    sft: SftSection = SftSection()
    scoring: ScoringSection = ScoringSection()
    hardware: HardwareSection = HardwareSection()

    @model_validator(mode="after")
    def check_extraction(self) -> SftConfig:
        if problems := list(self._extraction_problems()):
            raise ValueError("\n".join(problems))
        return self

    def _extraction_problems(self) -> Iterator[str]:
        """A response built around the thinking has a box and no marker."""
        rule = self.scoring.extraction.rule
        for index, source in enumerate(self.data.train):
            built = source.columns.response is None and source.columns.thinking is not None
            if built and rule in ("marker", "pattern"):
                yield (
                    f"data.train.{index}: expected whole responses (columns.response) where "
                    f"scoring.extraction.rule = {rule}, found columns.thinking, from which "
                    "responses with a box are built. Name a column of whole responses."
                )
