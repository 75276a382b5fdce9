"""Splitting an answer into the items of a list."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

_SEPARATOR = re.compile(
    r"\s*(?:;|；|、|\n|\s\|\s|,(?!\d{3}(?!\d))|，|(?<=\D),|,(?=\s))\s*(?:and\s+|以及|和)?"
    r"|\s+and\s+|\s+&\s+|(?<=[一-鿿])和(?=[一-鿿])"
)
_MAX_CHARACTERS = 20_000
MAX_ITEMS = 256


def bracketed(text: str) -> list[Any] | None:
    """Read ``text`` as a JSON or Python list; None when it is none."""
    text = text.strip()
    if len(text) > _MAX_CHARACTERS or not (text.startswith("[") and text.endswith("]")):
        return None
    if text.count("[") > 200 or text.count("(") + text.count("{") > 200:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return value if isinstance(value, list) and len(value) <= MAX_ITEMS else None
    inner = text[1:-1]
    return split(inner) if "[" not in inner else None


def split(text: str) -> list[str]:
    """Split a list in prose such as "Red, Blue and Green" into items; other text is one item."""
    text = text.strip()
    if len(text) > _MAX_CHARACTERS:
        return [text]
    items = [item.strip().strip("\"'") for item in _SEPARATOR.split(text)]
    return [item for item in items if item][:MAX_ITEMS]
