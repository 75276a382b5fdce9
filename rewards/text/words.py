"""Comparing text: folding, edit distance, token overlap."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from rewards.errors import AnswerError

_DROPPED = re.compile(
    r"[;!?'\"`’‘“”()\[\]{}。，；：！？、（）【】《》]"
    r"|\.(?!\d)|(?<=[^\W\d_])\."  # a decimal point stays: 1.5 is not 15
    r"|(?<!\d)[,:]|[,:](?!\d)|,(?=\d{3}(?!\d))"  # so do 1,5 and 10:30; 1,000 is 1000
)
_MINUS = re.compile(r"(\d\s+)?(?<!\S)-(?=\.?\d)")
_SPACED = re.compile(r"[-‐-―_/|\s]+")
_SIGN = "\ue000"  # stands for a minus sign while hyphens become spaces
MAX_EDIT_CELLS = 400_000_000


def folded(text: str) -> str:
    """Case, compatibility forms, accents, spacing and punctuation folded.

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
    """Levenshtein distance, by the bit-parallel method of Myers (1999) on long integers.

    Raises AnswerError when the two are too long for it to be quick.
    """
    if one == other:
        return 0
    start, shortest = 0, min(len(one), len(other))
    while start < shortest and one[start] == other[start]:
        start += 1
    end = 0
    while end < shortest - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if not one or not other:
        return max(len(one), len(other))
    if len(one) * len(other) > MAX_EDIT_CELLS:
        raise AnswerError("texts too long to compare by edit distance")
    places: dict[str, int] = {}
    for index, character in enumerate(one):
        places[character] = places.get(character, 0) | 1 << index
    full, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    more, less, distance = full, 0, len(one)
    for character in other:
        equal = places.get(character, 0)
        vertical = equal | less
        horizontal = (((equal & more) + more) ^ more) | equal
        raised = less | (full & ~(horizontal | more))
        lowered = more & horizontal
        distance += bool(raised & last) - bool(lowered & last)
        raised = ((raised << 1) | 1) & full
        lowered = (lowered << 1) & full
        more = lowered | (full & ~(vertical | raised))
        less = raised & vertical
    return distance


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
