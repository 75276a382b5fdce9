"""The curriculum's section of the configuration, made from the settings `curricula` declares.

`curricula` owns the names, defaults and checks of its settings and knows nothing of
pydantic; here each kind becomes a strict section, so that there is one list of settings.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, Self, Union, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from curricula import SETTINGS, CommonSettings


class CurriculumSection(BaseModel):
    """Base of the sections of all kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the kind, as :func:`curricula.make_curriculum` takes it."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}

    @model_validator(mode="after")
    def check_settings(self) -> Self:
        SETTINGS[self.kind](**self.settings)
        return self


def _section(kind: str, settings: type[CommonSettings]) -> type[CurriculumSection]:
    hints, defaults = get_type_hints(settings), asdict(settings())
    members: dict[str, Any] = {
        field.name: (hints[field.name], defaults[field.name]) for field in fields(settings)
    }
    return create_model(
        f"{kind.title().replace('_', '')}CurriculumSection",
        __base__=CurriculumSection,
        __doc__=settings.__doc__,
        kind=(Literal[kind], kind),  # type: ignore[arg-type]
        **members,
    )


SECTIONS: dict[str, type[CurriculumSection]] = {
    kind: _section(kind, settings) for kind, settings in SETTINGS.items()
}
"""The section of each kind."""

AnyCurriculumSection: Any = Annotated[Union[tuple(SECTIONS.values())], Field(discriminator="kind")]  # noqa: UP007
