"""The model section: the policy that is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from rlcs.config.section import Section


class ModelSection(Section):
    """The policy that is trained."""

    path: str
    """A Hugging Face model folder or hub id."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of weights and arithmetic; float32 on a CPU."""
    trust_code: bool = Field(default=False, exclude=True)
    """Run Python files that the model folder brings along; the same as ``--trust-code``. It is
    never written into a run folder: whoever goes on with the run decides anew."""

    @property
    def location(self) -> str:
        """``path`` as processes on a cluster understand it, whose current folder is another."""
        return str(Path(self.path).resolve()) if Path(self.path).is_dir() else self.path
