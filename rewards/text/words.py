"""Comparing text: folding, edit distance, token overlap."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from rapidfuzz.distance import Levenshtein

from rewards.errors import AnswerError

_DROPPED = re.compile(
    r"[;!?'\"`’‘“”()\[\]{}。，；：！？、（）【】《》]"
    r"|\.(?!\d)|(?<=[^\W\d_])\."  # a decimal point stays: 1.5 is not 15
    r"|(?<!\d)[,:]|[,:](?!\d)|,(?=\d{3}(?!\d))"  # so do 1,5 and 10:30; 1,000 is 1000
)
_MINUS = re.compile(r"(\d\s+)?(?<!\S)-(?=\.?\d)")
_SPACED = re.compile(r"[-‐-―_/|\s]+")
_SIGN = "\ue000"  # stands for a minus sign while hyphens become spaces
MAX_EDIT_CELLS = 400_000_000  # a tenth of a second of edit distance


def folded(text: str) -> str:
    """Fold case, compatibility forms, accents, spacing and punctuation, for comparing.

    Kept are + % # < > and what tells numbers apart: decimal points and minus signs.
    """
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = unicodedata.normalize("NFC", text).replace("&", " and ")
    text = _DROPPED.sub("", text.replace("−", "-"))
    if "-" in text:  # between two numbers it is a range, and folds like any hyphen
        text = _MINUS.sub(lambda match: match[1] or _SIGN, text)
    return " ".join(_SPACED.sub(" ", text).split()).replace(_SIGN, "-")


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance, in characters.

    Raises AnswerError when the two are too long, apart from common ends, for it to be quick.
    """
    if len(one) * len(other) > MAX_EDIT_CELLS:
        one, other = _without_common_ends(one, other)
        if len(one) * len(other) > MAX_EDIT_CELLS:
            raise AnswerError("texts too long to compare by edit distance")
    return Levenshtein.distance(one, other)


def _without_common_ends(one: str, other: str) -> tuple[str, str]:
    start, shortest = 0, min(len(one), len(other))
    while start < shortest and one[start] == other[start]:
        start += 1
    end = 0
    while end < shortest - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def similarity(one: str, other: str) -> float:
    """Return 1 - edit distance / longer length; 1 for two empty texts."""
    longest = max(len(one), len(other))
    return 1.0 if not longest else 1.0 - edit_distance(one, other) / longest


def token_f1(one: str, other: str) -> float:
    """Return the harmonic mean of token precision and recall; a CJK character is a token."""
    first, second = Counter(_tokens(one)), Counter(_tokens(other))
    shared = sum((first & second).values())
    if not first or not second:
        return float(first == second)
    if not shared:
        return 0.0
    precision, recall = shared / sum(first.values()), shared / sum(second.values())
    return 2 * precision * recall / (precision + recall)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[぀-ヿ㐀-鿿가-힯]|[^\W぀-ヿ㐀-鿿가-힯]+", folded(text))
