"""Sections made from settings that ``curricula`` and ``rewards`` declare.

Both know nothing of pydantic and write the fields of their settings as
``Annotated[TYPE, Setting(description=…, ge=…, …)]``. Here such a dataclass becomes a strict
section with the same names, types, bounds, defaults and descriptions: there is one list of
settings, and the schema shows it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, Field, Strict, create_model, model_validator

from rlcs.config.section import Section

SectionT = TypeVar("SectionT", bound="DeclaredSection")

BOUNDS = ("ge", "gt", "le", "lt")


class DeclaredSection(Section):
    """The base of sections that are made from a settings dataclass, which :func:`declare` does."""

    # There is no source to read docstrings from.
    model_config = ConfigDict(use_attribute_docstrings=False)

    declared: ClassVar[type]
    """The dataclass."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the dataclass is made of."""
        return {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self.declared)
        }

    @model_validator(mode="after")
    def check_declared(self) -> Self:
        """The checks that span settings are the dataclass's own."""
        self.declared(**self.settings)
        return self


def declare(
    name: str, settings: type, *, base: type[SectionT], members: Mapping[str, Any] = {}
) -> type[SectionT]:
    """The section called ``name`` with ``members`` and the fields of the dataclass ``settings``."""
    fields: dict[str, Any] = {**members, **_fields(settings)}
    section = create_model(name, __base__=base, __doc__=settings.__doc__, **fields)
    section.declared = settings
    return section


def _fields(settings: type) -> dict[str, Any]:
    """What ``pydantic.create_model`` takes for each field of the dataclass ``settings``."""
    hints = get_type_hints(settings, include_extras=True)
    members: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        kind, setting = get_args(hints[field.name])
        bounds = {name: getattr(setting, name) for name in BOUNDS}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        of: Any = _bounded(kind, given)
        members[field.name] = (
            Annotated[of, Field(description=setting.description)],
            _default(field),
        )
    return members


def _bounded(kind: Any, bounds: dict[str, Any]) -> Any:
    """``kind`` with the bounds at its numbers; for a tuple a list does, as YAML has no tuples."""
    origin: Any = get_origin(kind)
    arguments = get_args(kind)
    if origin in (Union, UnionType):
        inner = next(each for each in arguments if each is not NoneType)
        return _bounded(inner, bounds) | None
    if origin is tuple:
        return Annotated[origin[_bounded(arguments[0], bounds), ...], Strict(False)]
    if origin is Mapping:
        return Mapping[arguments[0], _bounded(arguments[1], bounds)]  # type: ignore[misc,valid-type]
    return Annotated[kind, Field(**bounds)] if bounds else kind


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return ... if field.default is dataclasses.MISSING else field.default
