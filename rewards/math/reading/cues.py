"""What a question allows: rounding, bare percentages, positive variables, integration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rewards.math.reading.asked import Unit, orders_of_letters, unit_asked_for
from rewards.math.reading.escapes import repaired

_COUNT_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_COUNT_WORDS |= {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}
_COUNT = r"(\d{1,2}|one|two|three|four|five|six|[一两二三四五六])"
_PLACES = re.compile(
    rf"{_COUNT}[\s-]*(?:decimal|d\.?p\.?\b|位小数)|小数点后{_COUNT}位", re.IGNORECASE
)
_SIGNIFICANT = re.compile(
    rf"{_COUNT}[\s-]*(?:significant|sig\.?\s*fig|s\.?f\.?\b|位有效数字|个有效数字)", re.IGNORECASE
)
_NEAREST_NAMES = {
    "ten-thousandth": 4,
    "thousandth": 3,
    "hundredth": 2,
    "tenth": 1,
    "cent": 2,
    "penny": 2,
    "integer": 0,
    "whole": 0,
    "unit": 0,
    "dollar": 0,
    "percent": 0,
    "degree": 0,
    "ten": -1,
    "hundred": -2,
    "thousand": -3,
    "million": -6,
}
_NEAREST = re.compile(rf"nearest\s+(?:the\s+)?({'|'.join(_NEAREST_NAMES)})", re.IGNORECASE)
_NEAREST_DECIMAL = re.compile(r"(?:nearest|精确到)\s*(0?\.0*1|1)(?!\d)")
_CHINESE_NEAREST = {"十分位": 1, "百分位": 2, "千分位": 3, "个位": 0, "整数": 0}
_CHINESE_PLACES = re.compile(rf"(?:精确到|保留(?:到)?|取)({'|'.join(_CHINESE_NEAREST)})")
_ROUNDS = re.compile(
    r"\bround(?:ed|ing)?\b|\bnearest\b|approximate value|\bapproximat(?:e|ion)\b.{0,40}\bvalue\b"
    r"|四舍五入|保留|精确到|近似",
    re.IGNORECASE,
)
_PERCENT = re.compile(
    r"percent|per cent|百分之几|百分之多少|百分比|百分率|百分数|in %|as a %|what %|how many %",
    re.IGNORECASE,
)
_POSITIVE = re.compile(r"\bpositive\b|\bnon-?negative\b|>\s*0|正数|正实数|大于\s*0", re.IGNORECASE)
_INTEGRAL = re.compile(r"\\i*int\b|∫|integra|antiderivative|积分|原函数", re.IGNORECASE)
_BASE = re.compile(
    r"base[\s-]*(?:\$?_?\{?)?(\d{1,2}|two|three|four|five|six|seven|eight|nine|twelve|sixteen)"
    r"|(binary|octal|hexadecimal)|([二八]|十六)进制",
    re.IGNORECASE,
)
_PAIRED_SIGNS = re.compile(
    r"signs?\b.{0,30}\b(?:correspond|together|respectively|paired)"
    r"|(?:upper|lower|same|matching) signs?|correspond\w* signs?"
    r"|同号|符号(?:相同|一致|对应)|上下对应",
    re.IGNORECASE,
)
_MAX_QUESTION = 20_000


@dataclass(frozen=True, slots=True)
class Cues:
    """What a question says about the answers it allows.

    rounds: whether it asks for rounding at all; places, significant: to what, where it says.
    percent: asks for a percentage. positive: says that something is positive. integral: asks
    for an antiderivative. based: asks for a notation in some base. unit: the unit it asks for.
    orders: the lists of letters in it. paired_signs: says that plus-minus signs go together.
    """

    rounds: bool = False
    places: int | None = None
    significant: int | None = None
    percent: bool = False
    positive: bool = False
    integral: bool = False
    based: bool = False
    unit: Unit | None = None
    orders: tuple[tuple[str, ...], ...] = ()
    paired_signs: bool = False


NO_CUES = Cues()


@lru_cache(maxsize=4096)
def read_cues(question: str | None) -> Cues:
    """Find the cues in ``question``."""
    if not question:
        return NO_CUES
    question = repaired(question[:_MAX_QUESTION])
    places = _places(question)
    significant = _count(_SIGNIFICANT.search(question))
    return Cues(
        rounds=places is not None or significant is not None or bool(_ROUNDS.search(question)),
        places=places,
        significant=significant,
        percent=bool(_PERCENT.search(question)),
        positive=bool(_POSITIVE.search(question)),
        integral=bool(_INTEGRAL.search(question)),
        based=bool(_BASE.search(question)),
        unit=unit_asked_for(question),
        orders=orders_of_letters(question),
        paired_signs=bool(_PAIRED_SIGNS.search(question)),
    )


def _places(question: str) -> int | None:
    counted = _count(_PLACES.search(question))
    if counted is not None:
        return counted
    if match := _NEAREST.search(question):
        return _NEAREST_NAMES[match[1].lower()]
    if match := _NEAREST_DECIMAL.search(question):
        return len(match[1].partition(".")[2])
    if match := _CHINESE_PLACES.search(question):
        return _CHINESE_NEAREST[match[1]]
    return None


def _count(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    text = next(group for group in match.groups() if group)
    return int(text) if text.isdigit() else _COUNT_WORDS[text.lower()]
