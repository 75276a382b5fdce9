"""Strict settings: every value is checked for its type and its bounds when they are made.

A section of settings is a frozen dataclass whose fields say, in their annotation, what they are
for and what fits::

    tolerance: Annotated[float, Setting(description="Relative, inclusive.", ge=0, lt=1)] = 0.05

Nothing is converted on the quiet: the text '0.5' is no number and the text 'no' is not false.

Left out: pydantic, so that this package stands alone. The same annotations are what others make
their schema from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rewards.errors import SettingsError

_SHOWN_CHARACTERS = 60
_TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What one setting is for, and the bounds of its value (or of its items).

    ge: not below this. gt: above this. le: not above this. lt: below this.
    """

    description: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    @property
    def bounds(self) -> str:
        """The bounds in words, such as "not below 0 and below 1"; empty without bounds."""
        named = (
            ("not below", self.ge), ("above", self.gt), ("not above", self.le), ("below", self.lt)
        )  # fmt: skip
        return " and ".join(f"{words} {bound:g}" for words, bound in named if bound is not None)

    def holds(self, value: float) -> bool:
        """Return whether ``value`` is within the bounds."""
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A section of settings; its subclasses add fields annotated with ``Setting``.

    Raises SettingsError for a value of another type or out of bounds. A subclass that checks
    its fields against each other calls this ``__post_init__`` first.
    """

    def __post_init__(self) -> None:
        rules = _rules(type(self))  # type: ignore[arg-type]  # mypy looks at the instances' hash
        for name, (kind, setting) in rules.items():
            value = _checked(name, getattr(self, name), kind, setting)
            object.__setattr__(self, name, value)  # a list is kept as a tuple


@dataclass(frozen=True, kw_only=True)
class NoSettings(Settings):
    """The section of a domain that has nothing to set."""


S = TypeVar("S", bound=Settings)


def build_settings(kind: type[S], values: Any, section: str) -> S:
    """Make the settings ``kind`` from a mapping of names to values.

    ``section`` is the name that messages give. Raises SettingsError for what is no mapping, for
    a name that does not exist (with the nearest one that does) and for a value that does not
    fit.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(
            f"{section}: expected an object of settings, found {_described(values)}."
        )
    known = [field.name for field in fields(kind)]
    for name in values:
        if name not in known:
            raise SettingsError(f"{section}: {unknown_name('setting', name, known)}")
    try:
        return kind(**values)
    except SettingsError as error:
        raise SettingsError(f"{section}.{error}") from None


def unknown_name(what: str, name: Any, known: list[str]) -> str:
    """Say that ``name`` is not known, which known name is nearest, and which there are."""
    from difflib import get_close_matches  # only where something is wrong

    near = get_close_matches(str(name), known, n=1)
    advice = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(sorted(known)) or "none"
    return f"unknown {what} {_short(name)}.{advice} Known: {listed}."


@cache
def _rules(section: type[Settings]) -> dict[str, tuple[Any, Setting]]:
    """The type and the ``Setting`` of each field of a class of settings."""
    found = {}
    for name, annotation in get_type_hints(section, include_extras=True).items():
        assert get_origin(annotation) is Annotated, f"{section.__name__}.{name} has no Setting"
        kind, setting = get_args(annotation)
        found[name] = (kind, setting)
    return found


def _checked(name: str, value: Any, kind: Any, setting: Setting) -> Any:
    """The value as it is kept. Raises SettingsError where it does not fit."""
    kind, may_be_none = _without_none(kind)
    if value is None and may_be_none:
        return None
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(
            _checked(f"{name}[{index}]", item, arguments[0], setting)
            for index, item in enumerate(value)
        )
    if origin is Mapping and isinstance(value, Mapping) and _has_text_keys(value):
        return {
            key: _checked(f"{name}.{key}", item, arguments[1], setting)
            for key, item in value.items()
        }
    if not _fits(value, kind, setting):
        expected = _expected(kind, setting) + (" or nothing" if may_be_none else "")
        raise SettingsError(f"{name}: expected {expected}, found {_described(value)}.")
    return value


def _without_none(kind: Any) -> tuple[Any, bool]:
    """``X | None`` as X and true, any other type as it is and false."""
    if get_origin(kind) not in (Union, UnionType):
        return kind, False
    (inner,) = (part for part in get_args(kind) if part is not NoneType)
    return inner, True


def _has_text_keys(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(key, str) for key in value)


def _fits(value: Any, kind: Any, setting: Setting) -> bool:
    """Whether a value without parts is of the type and within the bounds."""
    if get_origin(kind) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(kind))
    if kind in (int, float):
        allowed = int if kind is int else int | float
        is_number = isinstance(value, allowed) and not isinstance(value, bool)
        return is_number and _is_finite(value) and setting.holds(value)
    return kind in (bool, str) and isinstance(value, kind)


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _expected(kind: Any, setting: Setting) -> str:
    """The type and the bounds in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin is tuple:
        return f"a list, each item {_expected(arguments[0], setting)}"
    if origin is Mapping:
        return f"an object of names, each value {_expected(arguments[1], setting)}"
    return f"{_TYPE_NAMES[kind]} {setting.bounds}".strip()


def _described(value: Any) -> str:
    """A value in words, so that the text '0.5' differs from the number 0.5."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {_short(value)}"
    if isinstance(value, int) and not _is_finite(value):
        return "a number beyond all limits"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    return _short(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
