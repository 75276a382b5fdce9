"""A point alone, where the reference asks for a click and nothing else (ScreenSpot).

``(x, y)``, ``[x, y]``, ``<point>x y</point>``, ``{"point_2d": [x, y]}`` and the like; a box in the
same spellings counts by its centre, as everywhere. No space is implied: SeeClick counts from 0 to
1, others to 1000 or in pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rewards.errors import AnswerError
from rewards.gui.dialects.dialect import Form, Grammar
from rewards.gui.dialects.places import (
    BARE,
    BOX_TOKENS,
    BOX_TOKENS_CORNERS,
    DOUBLE_SQUARE,
    POINT_TAG,
    POINT_TAG_COMMA,
    POINT_TAG_SQUARE,
    ROUND,
    SQUARE,
    listed,
    spelled,
)
from rewards.gui.dialects.source import NotThisDialectError, Source
from rewards.gui.dialects.syntax import literal, spelled_out

_KEYS = ("point_2d", "bbox_2d")
_SPELLINGS = (
    ROUND, SQUARE, DOUBLE_SQUARE, BARE, POINT_TAG, POINT_TAG_COMMA, POINT_TAG_SQUARE,
    BOX_TOKENS, BOX_TOKENS_CORNERS,
)  # fmt: skip


def _parse(source: Source) -> tuple[str, Mapping[str, Any]]:
    if "{" in source.text:
        return "click", {"point": _from_object(literal(source))}
    try:
        return "click", {"point": spelled(source.text, *_SPELLINGS)}
    except AnswerError as error:
        raise NotThisDialectError(str(error)) from None


def _from_object(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    keys = [key for key in _KEYS if key in value] if isinstance(value, dict) else []
    if not keys:
        raise NotThisDialectError("no point alone")
    if len(keys) > 1 or value.keys() - {*keys, "label"}:
        raise AnswerError("expected a point and perhaps a label")
    return value[keys[0]]


def _spell(place: list[float]) -> str:
    return f"({spelled_out(place, ', ')})"


_GRAMMAR = Grammar(
    forms=[Form("click", "click", {"point": "point"})],
    parse=_parse,
    shown=re.compile(r"\A(?:[^{]*\Z|.*_2d)", re.DOTALL),
    show=lambda name, given: str(given["point"]),
    place=listed,
    spell=_spell,
)
DIALECTS = (
    _GRAMMAR.dialect(
        "point", None, "grounding models: a click alone",
        "https://github.com/njucckevin/SeeClick",
    ),
)  # fmt: skip
