"""What several dialects share of syntax: an object with the action's name in it, and a call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.calls import write_call
from rewards.gui.dialects.source import NotThisDialectError, Source

_NAME = re.compile(r"[A-Za-z_]\w{0,60}\(", re.ASCII)


def named_object(value: Any, key: str) -> tuple[str, dict[str, Any]]:
    """Return the name at ``key`` of an object and the rest of it. Raises NotThisDialectError."""
    if not isinstance(value, dict) or not isinstance(value.get(key), str):
        raise NotThisDialectError(f"no object with {key}")
    rest = dict(value)
    return rest.pop(key), rest


def literal(source: Source) -> Any:
    """Return the literal that a source is. Raises NotThisDialectError for other text."""
    try:
        return source.literal()
    except AnswerError as error:
        raise NotThisDialectError(str(error)) from None


def called(source: Source) -> tuple[str, dict[str, Any]]:
    """Return the name and the named arguments of a call. Raises AnswerError.

    Of text that looks like no call it raises NotThisDialectError.
    """
    if not source.text.endswith(")") or not _NAME.match(source.text):
        raise NotThisDialectError("not a plain call")
    call = source.call()
    if call.positional:
        raise NotThisDialectError(f"{call.name}: arguments without a name")
    return call.name, dict(call.keywords)


def show_object(key: str) -> Callable[[str, Mapping[str, Any]], str]:
    """Return how an object with the action's name at ``key`` is written."""

    def show(name: str, given: Mapping[str, Any]) -> str:
        return json.dumps({key: name, **given}, ensure_ascii=False)

    return show


def show_call(name: str, given: Mapping[str, Any]) -> str:
    """Write a call with named arguments."""
    return write_call(name, given)


def short(number: float) -> float:
    """A whole number without a decimal point."""
    return int(number) if number == int(number) else number


def spelled_out(place: list[float], separator: str = ",") -> str:
    """Write the numbers of a point or a box in decimals, whole ones without a point."""
    return separator.join(f"{number:.12f}".rstrip("0").rstrip(".") for number in place)


def shortened(place: list[float]) -> list[float]:
    """Write whole numbers of a point or a box without a decimal point."""
    return [short(number) for number in place]
