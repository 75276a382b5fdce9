"""Strict settings: what each field of a settings dataclass means, and the check of its value.

A settings dataclass is frozen and writes its fields as `Annotated[TYPE, Setting(...)]`. Its
`__post_init__` calls `check_settings`, which takes values as they are: the text "3" is no number
and true is no number either. A trainer's configuration file has its own parser for that, and
gets the types, bounds and descriptions from the same annotations.

Fields may be bool, int, float, str, `Literal[...]`, `tuple[T, ...]`, `Mapping[str, T]`, and each
of these or None.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from numbers import Integral
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from curricula.errors import SettingsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What one setting is for, and the bounds of its value, or of each number in a collection."""

    description: str
    ge: float | None = None
    """Least value allowed."""
    gt: float | None = None
    """All values allowed are above this one."""
    le: float | None = None
    """Largest value allowed."""
    lt: float | None = None
    """All values allowed are below this one."""


def declared_settings(cls: type) -> Mapping[str, tuple[Any, Setting]]:
    """The type and the `Setting` of each field of a settings dataclass, in their order.

    TypeError when a field is not written as `Annotated[TYPE, Setting(...)]`.
    """
    hints = get_type_hints(cls, include_extras=True)
    declared = {}
    for field in fields(cls):
        hint, *notes = get_args(hints[field.name]) or [None]
        found = [note for note in notes if isinstance(note, Setting)]
        if len(found) != 1:
            raise TypeError(f"expected {cls.__name__}.{field.name} annotated with one Setting")
        declared[field.name] = (hint, found[0])
    return declared


def check_settings(settings: object) -> None:
    """Check the value of every field of a settings dataclass against its type and bounds.

    Lists are stored as tuples, and mappings as copies, so that settings do not change later.
    SettingsError names the setting, what was expected and what was found.
    """
    for name, (hint, setting) in declared_settings(type(settings)).items():
        value = _checked(name, getattr(settings, name), hint, setting)
        object.__setattr__(settings, name, value)


def check_names(found: Iterable[object], known: Iterable[str], what: str) -> None:
    """SettingsError unless every name found is a known one; it names the nearest known ones.

    `what` says in the message what the names are of, as in "settings of 'rlcs'".
    """
    names = list(known)
    foreign = [name for name in found if name not in names]
    if not foreign:
        return
    near = [match for name in foreign for match in get_close_matches(str(name), names, n=1)]
    hint = f" Did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
    raise SettingsError(
        f"expected {what} out of {', '.join(names)}, found {', '.join(map(repr, foreign))}.{hint}"
    )


def check_whole(name: str, value: int, least: int) -> None:
    """SettingsError unless it is a whole number, at least so large."""
    if not isinstance(value, Integral) or value < least:
        back = "; to go back, load the state saved at that step" if name == "step" else ""
        raise SettingsError(
            f"expected {name} as a whole number of at least {least}, found {value!r}{back}"
        )


def _checked(where: str, value: object, hint: Any, setting: Setting) -> object:
    """The value as it is stored; `where` names it in messages."""
    kind = get_origin(hint) or hint
    if kind in (Union, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        return None if value is None else _checked(where, value, inner, setting)
    if kind is tuple and isinstance(value, list | tuple):
        of_item = get_args(hint)[0]
        return tuple(
            _checked(f"{where}[{index}]", item, of_item, setting)
            for index, item in enumerate(value)
        )
    if kind is Mapping and isinstance(value, Mapping):
        of_key, of_item = get_args(hint)
        return {
            _checked(f"{where}, a key", key, of_key, setting): _checked(
                f"{where}[{key!r}]", item, of_item, setting
            )
            for key, item in value.items()
        }
    if not _fits(value, hint, setting):
        raise SettingsError(f"{where}: expected {_wanted(hint, setting)}, found {_shown(value)}.")
    return value


def _fits(value: object, hint: Any, setting: Setting) -> bool:
    """Whether a single value is of the type and within the bounds."""
    if get_origin(hint) in (tuple, Mapping):
        return False  # what is one of these was looked into already
    if get_origin(hint) is Literal:
        return any(value == known and type(value) is type(known) for known in get_args(hint))
    if hint in (bool, str):
        return isinstance(value, hint)
    if hint not in (int, float):
        raise TypeError(f"expected a type that settings may have, found {hint}")
    return (
        isinstance(value, int if hint is int else int | float)
        and not isinstance(value, bool)
        and _finite(value)
        and _inside(value, setting)
    )


def _inside(value: float, setting: Setting) -> bool:
    return (
        (setting.ge is None or value >= setting.ge)
        and (setting.gt is None or value > setting.gt)
        and (setting.le is None or value <= setting.le)
        and (setting.lt is None or value < setting.lt)
    )


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond what a float can hold
        return False


def _wanted(hint: Any, setting: Setting) -> str:
    """What is expected, in words."""
    kind = get_origin(hint) or hint
    if kind is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    names = {
        bool: "true or false",
        str: "text",
        tuple: "a list",
        Mapping: "a mapping of keys to values",
    }
    if kind not in (int, float):
        return names[kind]
    bounds = [
        f"{words} {_plain(bound)}"
        for words, bound in (
            ("not below", setting.ge),
            ("above", setting.gt),
            ("not above", setting.le),
            ("below", setting.lt),
        )
        if bound is not None
    ]
    number = "a whole number" if kind is int else "a number" if bounds else "a finite number"
    return " ".join([number, " and ".join(bounds)]).strip()


def _plain(number: float) -> str:
    """Without the exponent or the trailing zero that nobody writes."""
    return str(int(number)) if float(number).is_integer() else str(number)


def _shown(value: object) -> str:
    """What was found, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)} keys"
    return repr(value)
