"""The curriculum's section of the configuration: one strict section for each kind of curriculum."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, Union

from pydantic import Field, create_model, model_validator

from curricula import SETTINGS, CommonSettings
from rlcs.config.declared import DeclaredSection, declared_fields


class CurriculumSection(DeclaredSection):
    """Base of the sections of all kinds."""

    kind: str

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the kind, as :func:`curricula.make_curriculum` takes it."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}

    @model_validator(mode="after")
    def check_settings(self) -> Self:
        """The checks that span settings are those of ``curricula``."""
        SETTINGS[self.kind](**self.settings)
        return self


def _section(kind: str, settings: type[CommonSettings]) -> type[CurriculumSection]:
    return create_model(
        f"{kind.title().replace('_', '')}CurriculumSection",
        __base__=CurriculumSection,
        __doc__=settings.__doc__,
        kind=(Literal[kind], kind),  # type: ignore[arg-type]
        **declared_fields(settings),
    )


SECTIONS: dict[str, type[CurriculumSection]] = {
    kind: _section(kind, settings) for kind, settings in SETTINGS.items()
}
"""The section of each kind."""

AnyCurriculumSection: Any = Annotated[Union[tuple(SECTIONS.values())], Field(discriminator="kind")]  # noqa: UP007
