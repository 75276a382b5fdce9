"""What is odd about a response, apart from being right: format, language mixing, repetition.

GLM-4.1V saw language mixing, repeated blocks and boxes around nothing during training. These
are numbers to watch; none of them enters the reward unless a weight is given.
"""

from __future__ import annotations

import re
from collections import Counter

from rewards.extraction import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN, find_boxes

_CJK = re.compile(r"[㐀-鿿぀-ヿ가-힯]")
_LATIN_WORD = re.compile(r"[A-Za-z]{4,}")
_MATH = re.compile(r"\$[^$]{0,2000}\$|\\\([^)]{0,2000}\\\)|\\[A-Za-z]+|```.*?```", re.DOTALL)
_TAGS = ((THINK_OPEN, THINK_CLOSE), (ANSWER_OPEN, ANSWER_CLOSE))
_WINDOW_WORDS = 8
_MAX_CHARACTERS = 200_000


def diagnose(response: str) -> dict[str, float]:
    """Measure what is odd about ``response``, each in [0, 1], 0 meaning nothing odd.

    The time is linear in the length of the response.
    """
    text = response[:_MAX_CHARACTERS]
    return {
        "unclosed_tags": _unclosed_tags(text),
        "not_one_box": float(_num_boxes(text) != 1),
        "language_mixing": _language_mixing(text),
        "repetition": _repetition(text),
    }


def _unclosed_tags(text: str) -> float:
    """The share of tags whose openings and closings do not pair."""
    odd = sum(
        text.count(opening) > 1 or text.count(opening) != text.count(closing)
        for opening, closing in _TAGS
    )
    return odd / len(_TAGS)


def _num_boxes(text: str) -> int:
    return len(find_boxes(text.rpartition(THINK_CLOSE)[2], ("glm", "latex")))


def _language_mixing(text: str) -> float:
    """The smaller share of CJK characters and Latin words (formulae and code left out), doubled."""
    prose = _MATH.sub(" ", text)
    # A Latin word weighs as much as two CJK characters, about its length in print.
    cjk, latin = len(_CJK.findall(prose)), 2 * len(_LATIN_WORD.findall(prose))
    return 2 * min(cjk, latin) / (cjk + latin) if cjk + latin else 0.0


def _repetition(text: str) -> float:
    """The share of eight-word windows that occurred before."""
    words = text.split()
    num_windows = len(words) - _WINDOW_WORDS + 1
    if num_windows < 2:
        return 0.0
    windows = Counter(hash(tuple(words[i : i + _WINDOW_WORDS])) for i in range(num_windows))
    return 1.0 - len(windows) / num_windows
