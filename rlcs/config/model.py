"""The model section: the policy that is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from rlcs.config.section import Section


class ImageTokensSection(Section):
    """How many tokens a picture may become; an end left out is the model folder's own.

    Pictures that would become more are made smaller, and those that would become less larger. A
    very long and thin one may still become more than ``max``: no side is less than one token.
    """

    min: int | None = Field(default=None, ge=1)
    """Tokens of the smallest picture."""
    max: int | None = Field(default=None, ge=1)
    """Tokens of the largest picture."""

    @model_validator(mode="after")
    def check_ends(self) -> ImageTokensSection:
        if self.min is None and self.max is None:
            raise ValueError("expected min, max or both, found neither. Leave image_tokens out.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                f"expected min to be at most max, found {self.min} and {self.max}. Lower min."
            )
        return self


class ModelSection(Section):
    """The policy that is trained."""

    path: str
    """A Hugging Face model folder or hub id."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of weights and arithmetic; float32 on a CPU."""
    trust_code: bool = Field(default=False, exclude=True)
    """Run Python files that the model folder brings along; the same as ``--trust-code``. It is
    never written into a run folder: whoever goes on with the run decides anew."""

    image_tokens: ImageTokensSection | None = None
    """How many tokens one picture may become, for the learner and all engines alike."""

    @property
    def location(self) -> str:
        """``path`` as processes on a cluster understand it, whose current folder is another."""
        return str(Path(self.path).resolve()) if Path(self.path).is_dir() else self.path
