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
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, Strict

from rlcs.config.section import Section

BOUNDS = ("ge", "gt", "le", "lt")


class DeclaredSection(Section):
    """The base of sections that are made and not written."""

    # There is no source to read docstrings from.
    model_config = ConfigDict(use_attribute_docstrings=False)


def declared_fields(settings: type) -> dict[str, Any]:
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
