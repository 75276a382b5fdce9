"""The scoring section: how completions are judged, with the settings that ``rewards`` declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from rewards import domains
from rewards.registry import settings_class
from rlcs.config.declared import DeclaredSection, declare
from rlcs.config.section import Section


class DomainScoringSection(Section):
    """How one domain is judged."""

    pass_mark: float | None = Field(default=None, ge=0, le=1)
    """A verdict passes from this score on; the domain's own mark when left out."""
    verifier: str | None = None
    """Import path ``module:function`` of your own verifier."""


class BuiltInScoringSection(DomainScoringSection):
    """How a domain is judged that ``rewards`` has a verifier for."""

    # Its subclasses are made below: there is no source to read docstrings from.
    model_config = ConfigDict(use_attribute_docstrings=False)

    settings: Any = None

    @model_validator(mode="after")
    def check_one_verifier(self) -> Self:
        if self.verifier is not None and self.settings is not None:
            raise ValueError(
                "expected verifier or settings, found both: settings are those of the verifier "
                "that verifier replaces. Leave one out."
            )
        return self


def _domain_section(domain: str) -> type[BuiltInScoringSection]:
    title = domain.title()
    settings: Any = declare(f"{title}Settings", settings_class(domain), base=DeclaredSection)
    field = Field(default=None, description=f"Settings of the verifier of the domain {domain}.")
    return create_model(
        f"{title}ScoringSection", __base__=BuiltInScoringSection, settings=(settings | None, field)
    )


class DomainsSection(Section):
    """Domains by name: the built-in ones with their settings, and any of the user's own."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=False)

    __pydantic_extra__: dict[str, DomainScoringSection] = Field(init=False)

    def named(self) -> dict[str, DomainScoringSection]:
        """The domains that the configuration names."""
        return {name: section for name, section in self if section is not None}

    @model_serializer(mode="wrap")
    def leave_out_the_others(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A written configuration shows the domains that were named, and no other."""
        whole: dict[str, Any] = handler(self)
        return {name: section for name, section in whole.items() if section is not None}


_BUILT_IN: Any = {
    domain: (
        _domain_section(domain) | None,
        Field(default=None, description=f"How answers of the domain {domain} are judged."),
    )
    for domain in domains()
}
AnyDomainsSection: Any = create_model("AnyDomainsSection", __base__=DomainsSection, **_BUILT_IN)


ExtractionSection: Any = declare(
    "ExtractionSection", settings_class("extraction"), base=DeclaredSection
)


class ScoringSection(Section):
    """How completions are judged."""

    num_workers: int = Field(default=1, ge=1)
    """Killable verifier processes."""
    deadline_seconds: float = Field(default=1.0, gt=0)
    """One check may take this long; then its worker is killed and replaced."""
    extraction: ExtractionSection = ExtractionSection()
    """Where in a response the answer is found, in all domains."""
    domains: AnyDomainsSection = AnyDomainsSection()
    """Domain to how it is judged; domains of your own name their ``verifier``."""

    def custom_verifiers(self) -> dict[str, str]:
        """Domain to the import path of the user's own verifier."""
        named = self.domains.named().items()
        return {name: section.verifier for name, section in named if section.verifier}

    def pass_marks(self) -> dict[str, float]:
        """Domain to its pass mark, for those that give one."""
        named = self.domains.named().items()
        return {name: part.pass_mark for name, part in named if part.pass_mark is not None}

    def verifier_settings(self) -> dict[str, dict[str, Any]]:
        """Domain to the settings of its verifier, for those that give any; and the extraction."""
        return {"extraction": self.extraction.settings, **dict(self._given_settings())}

    def _given_settings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, section in self.domains.named().items():
            if isinstance(section, BuiltInScoringSection) and section.settings is not None:
                yield name, section.settings.settings
