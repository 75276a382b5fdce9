"""The scoring section: how completions are judged."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rlcs.config.section import Section


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
