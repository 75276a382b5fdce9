"""The configuration of ``rlcs grade``: which models are asked what, how often, and who judges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from rlcs.config.cluster import HardwareSection
from rlcs.config.data import DataSection
from rlcs.config.model import ImageTokensSection
from rlcs.config.rollout import RolloutSection
from rlcs.config.scoring import ScoringSection
from rlcs.config.section import NAME_PATTERN, Section


class GradeSection(Section):
    """The grading as a whole."""

    name: str = Field(default="grade", pattern=NAME_PATTERN)
    """Names the grading's folder."""
    folder: str = "runs"
    """Where the folder lies."""
    seed: int = Field(default=0, ge=0)
    attempts: int = Field(default=8, ge=1)
    """Attempts of every model at every problem: the k of pass@k."""
    problems_per_piece: int = Field(default=64, ge=1)
    """Problems of a chunk, which is asked, judged and saved as one: what a kill can cost."""


class EndpointSection(Section):
    """An OpenAI-compatible endpoint. Its key comes from the environment alone."""

    base_url: str = Field(pattern=r"^https?://")
    """For example ``http://localhost:8000/v1``."""
    model: str
    """The name of the model at the endpoint."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; a server without keys needs none."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Fields of the request beside ``model`` and ``messages``; ``temperature`` and ``max_tokens``
    are those of ``rollout`` unless given here, and null leaves one out."""
    max_concurrent: int = Field(default=8, ge=1)
    """Requests that are under way at the same time."""
    timeout_seconds: float = Field(default=120.0, gt=0)
    """One request may take this long."""
    deadline_seconds: float = Field(default=600.0, gt=0)
    """A request that fails is repeated, with growing pauses, for this long; then grading stops."""

    @field_validator("parameters")
    @classmethod
    def check_parameters(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted({"model", "messages", "stream", "n"} & set(parameters)):
            raise ValueError(f"expected other fields of the request, found {', '.join(taken)}.")
        return parameters

    @property
    def key(self) -> str:
        """The key, or a text that a server without keys accepts."""
        return os.environ.get(self.key_variable) or "none"


class GradedModelSection(Section):
    """A model to ask: exactly one of ``path`` (an engine of ours) and ``endpoint``."""

    name: str = Field(pattern=NAME_PATTERN)
    """The name of the model in the table."""
    path: str | None = None
    """A Hugging Face model folder or hub id, a checkpoint or a run (its best model)."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    trust_code: bool = Field(default=False, exclude=True)
    """Run Python files that the model folder brings along; the same as ``--trust-code``."""
    image_tokens: ImageTokensSection | None = None
    """How many tokens one picture may become."""
    endpoint: EndpointSection | None = None
    system_prompt: str | None = None
    """Put before problems without a system turn. It does not change their ids."""

    @model_validator(mode="after")
    def check_one_origin(self) -> GradedModelSection:
        if (self.path is None) == (self.endpoint is None):
            found = "neither" if self.path is None else "both"
            raise ValueError(f"expected exactly one of path and endpoint, found {found}.")
        return self


class GradeConfig(Section):
    """``rlcs grade``: offline difficulty, k attempts of one or more models at every problem."""

    grade: GradeSection = GradeSection()
    models: list[GradedModelSection] = Field(min_length=1)
    """From the oldest or weakest to the newest; the table keeps this order."""
    data: DataSection
    """As in a run; the training problems are graded, held-out ones taken out of them."""
    rollout: RolloutSection = RolloutSection()
    """How engines sample. ``group_size`` is not used: see ``grade.attempts``."""
    scoring: ScoringSection = ScoringSection()
    hardware: HardwareSection = HardwareSection()

    @model_validator(mode="after")
    def check_across_sections(self) -> GradeConfig:
        if problems := [*self._name_problems(), *self._budget_problems()]:
            raise ValueError("\n".join(problems))
        return self

    def _name_problems(self) -> Iterator[str]:
        names = [model.name for model in self.models]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            yield (
                f"models: expected a name of its own for each model, found {', '.join(repeated)} "
                "more than once."
            )

    def _budget_problems(self) -> Iterator[str]:
        # Endpoints have limits of their own.
        if any(model.path is not None for model in self.models):
            yield from self.rollout.check_batch_tokens(self.hardware.device)
            yield from self.rollout.check_extra(self.hardware.device)
