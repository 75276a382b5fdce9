"""Our frozen records as plain data and back, strictly by the annotations of their fields.

Plain data is what :mod:`curricula.plain` writes: JSON's types, bytes and arrays. A record becomes
a dictionary of its fields. On the way back every value must be of exactly the type that the
annotation says, at every depth; an error names the way to the value that is not.

Fields may be None, bool, int, float, str, bytes, an enum of texts, a record, ``NDArray[...]``
of one dimension, and lists, tuples and dictionaries of these; ``Any`` is plain data already.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from rlcs.types import Stored

Record = TypeVar("Record")


class FormError(ValueError):
    """A value that is not what its field's annotation says: where, expected and found."""


def to_plain(value: Any) -> Any:
    """A record, or what is in one, as plain data; what is stored elsewhere becomes its bytes."""
    if isinstance(value, Stored):
        return value.read_bytes()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: to_plain(each) for key, each in value.items()}
    return value


def from_plain(kind: type[Record], value: Any, where: str) -> Record:
    """The record of class ``kind`` that :func:`to_plain` made ``value`` of.

    Raises:
        FormError: ``value`` has another form; the message starts with ``where``.
    """
    record: Record = _read(kind, value, where)
    return record


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin is Any:
        return value
    if origin in (Union, UnionType):
        return _read_union(inner, value, where)
    if is_dataclass(origin):
        return _read_record(origin, value, where)
    if origin is np.ndarray:
        return _read_array(inner, value, where)
    if origin in (list, tuple):
        _check(type(value) is list, where, "a list", value)
        kinds = inner if origin is tuple and inner[-1] is not ... else [inner[0]] * len(value)
        _check(len(kinds) == len(value), where, f"{len(kinds)} values", value)
        pairs = enumerate(zip(kinds, value, strict=True))
        return origin(_read(of, each, f"{where}[{at}]") for at, (of, each) in pairs)
    if origin is dict:
        _check(type(value) is dict, where, "names and values", value)
        return {
            _read(inner[0], name, f"{where}, a name"): _read(inner[1], each, f"{where}.{name}")
            for name, each in value.items()
        }
    if isinstance(origin, type) and issubclass(origin, Enum):
        known = [each.value for each in origin]
        _check(type(value) is str and value in known, where, f"one of {', '.join(known)}", value)
        return origin(value)
    if origin is float:  # a whole number is one, too, and stays as it is
        _check(type(value) in (float, int), where, "a number", value)
        return value
    _check(type(value) is origin, where, origin.__name__, value)
    return value


def _read_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Of ``T | None``, of what is stored elsewhere or the bytes that stand in its place, or of
    several records, which differ in the names of their fields."""
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind not in (Stored, NoneType))
    if len(kinds) > 1 and type(value) is dict:
        kinds = tuple(kind for kind in kinds if _hints(kind).keys() == value.keys()) or kinds
    return _read(kinds[0], value, where)


def _read_record(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    _check(type(value) is dict, where, f"the fields of a {kind.__name__}", value)
    if value.keys() != hints.keys():
        missing, strange = sorted(hints.keys() - value.keys()), sorted(value.keys() - hints.keys())
        raise FormError(
            f"{where}: expected the fields of a {kind.__name__}, found "
            f"{f'none of {missing}' if missing else f'also {strange[:5]}'}"
        )
    return kind(
        **{name: _read(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
    )


def _read_array(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    dtype = np.dtype(get_args(arguments[1])[0])
    wanted = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == dtype
    _check(wanted, where, f"a row of {dtype}", value)
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _check(holds: bool, where: str, expected: str, found: Any) -> None:
    if not holds:
        shown = (
            f"{found.dtype}{list(found.shape)}"
            if isinstance(found, np.ndarray)
            else f"{type(found).__name__} {found!r:.60}"
        )
        raise FormError(f"{where}: expected {expected}, found {shown}")
