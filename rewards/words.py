"""Comparing text: folding, edit distance, token overlap."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_DROPPED = re.compile(r"[.,;:!?'\"`’‘“”()\[\]{}。，；：！？、（）【】《》]")
_SPACED = re.compile(r"[-‐-―_/|\s]+")
MAX_EDIT_CHARACTERS = 20_000
MAX_EDIT_CELLS = 25_000_000


def folded(text: str) -> str:
    """Case, compatibility forms, accents, spacing and punctuation folded; + % # < > kept."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = unicodedata.normalize("NFC", text).replace("&", " and ")
    return " ".join(_SPACED.sub(" ", _DROPPED.sub("", text)).split())


def edit_distance(one: str, other: str, *, at_most: int | None = None) -> int:
    """Levenshtein distance; ``at_most`` + 1 as soon as it is known to be more.

    Common ends are cut first, so nearly equal long texts stay cheap.
    """
    if one == other:
        return 0
    start = 0
    shortest = min(len(one), len(other))
    while start < shortest and one[start] == other[start]:
        start += 1
    end = 0
    while end < shortest - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if len(one) < len(other):
        one, other = other, one
    if at_most is not None and len(one) - len(other) > at_most:
        return at_most + 1
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, opposite in enumerate(other, 1):
            above = row[j]
            cost = previous if character == opposite else 1 + min(previous, above, row[j - 1])
            previous, row[j] = above, cost
        if at_most is not None and min(row) > at_most:
            return at_most + 1
    return row[-1]


def similarity(one: str, other: str) -> float:
    """1 - edit distance / longer length; 1 for two empty texts."""
    longest = max(len(one), len(other))
    return 1.0 if not longest else 1.0 - edit_distance(one, other) / longest


def token_f1(one: str, other: str) -> float:
    """Harmonic mean of token precision and recall; CJK characters are tokens of their own."""
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
