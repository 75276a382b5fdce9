"""Two texts beside one another, with what only one of them says marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Any

from dash import html

from rlcs.dashboard.parts import readable

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 4_000
"""Of each text; longer ones are shown without marks, because comparing them takes too long."""


def differences(left: str, right: str) -> tuple[list[Any], list[Any]]:
    """The parts of both texts; what the other one lacks is a marked part."""
    a, b = _WORD.findall(left), _WORD.findall(right)
    if len(a) > MOST_WORDS or len(b) > MOST_WORDS:
        return [readable(left)], [readable(right)]
    parts: tuple[list[Any], list[Any]] = ([], [])
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for side, words in ((0, a[a1:a2]), (1, b[b1:b2])):
            text = readable("".join(words))
            if text:
                parts[side].append(text if kind == "equal" else html.Mark(text))
    return parts
