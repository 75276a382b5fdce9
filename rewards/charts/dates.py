"""Dates, months and quarters in their usual forms, as fields that compare exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rewards.charts.numbers import normal
from rewards.text import chinese

_MONTHS = {
    name: index
    for index, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sep sept", "october oct", "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>(?:1[5-9]|20|21)\d\d)"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3}
_ORDINALS |= {"4th": 4, "一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        rf"(?:in )?(?:the )?(?:year )?(?:of )?{_YEAR}(?: ?年)?",
        rf"(?P<name>{_MONTH})\.?",
        rf"(?P<name>{_MONTH})\.?,?[ -]?(?:of )?{_YEAR}",
        rf"{_YEAR}[ -]?(?P<name>{_MONTH})\.?",
        rf"(?P<name>{_MONTH})\.? {_DAY}(?:,? {_YEAR})?",
        rf"{_DAY}(?: of)?[ -](?P<name>{_MONTH})\.?(?:,?[ -]{_YEAR})?",
        rf"{_YEAR}[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}))?",
        rf"(?P<month>\d{{1,2}})[/.-]{_YEAR}",
        rf"(?P<month>\d{{1,2}})[/.-](?P<day>\d{{1,2}})[/.-]{_YEAR}",
        rf"(?:{_YEAR} ?年 ?)?(?P<month>\d{{1,2}}) ?月(?: ?份)?(?:(?P<day>\d{{1,2}}) ?[日号])?",
        rf"q(?P<quarter>[1-4])(?:[ ,'-]*(?:of )?(?:fy ?)?{_YEAR})?",
        rf"(?P<quarter>[1-4])q[ ,'-]*(?:{_YEAR})?",
        rf"{_YEAR}[ ,-]*q(?P<quarter>[1-4])",
        r"q(?P<quarter>[1-4])[ ']{1,2}(?P<short>\d\d)",
        r"(?P<quarter>[1-4])q[ ']{0,2}(?P<short>\d\d)",
        rf"(?P<name>{_MONTH})\.? ?'(?P<short>\d\d)",
        rf"(?:the )?(?P<ordinal>first|second|third|fourth|1st|2nd|3rd|4th) quarter"
        rf"(?:,? (?:of )?{_YEAR})?",
        rf"(?:{_YEAR} ?年 ?)?第?(?P<ordinal>[一二三四1234]) ?季度",
    )
]


@dataclass(frozen=True, slots=True)
class ChartDate:
    """A date of which only some fields may be given; the others are None."""

    year: int | None = None
    quarter: int | None = None
    month: int | None = None
    day: int | None = None
    swapped: bool = False

    @property
    def is_plain_year(self) -> bool:
        """True when nothing but a year is given."""
        return self == ChartDate(year=self.year)


def read_date(text: str) -> ChartDate | None:
    """Return the date that ``text`` is, or None. A bare year is read as one: the caller decides."""
    text = " ".join(normal(text).lower().rstrip(".").split())
    if len(text) > 40:
        return None
    if re.search(r"[一二三四五六七八九十〇零]", text) and "季度" not in text:
        text = _chinese_date(text)
    for pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return _from_groups(match.groupdict())
    return None


def _chinese_date(text: str) -> str:
    def digits(match: re.Match[str]) -> str:
        value = chinese.integer(match[1])
        return match.group() if value is None else f"{value}{match[2]}"

    return re.sub(r"([零〇一二三四五六七八九十]{1,4})([年月日号])", digits, text)


def _from_groups(groups: dict[str, str | None]) -> ChartDate | None:
    month = _MONTHS[groups["name"] or ""] if groups.get("name") else _int(groups.get("month"))
    quarter = _int(groups.get("quarter"))
    if groups.get("ordinal"):
        quarter = _ORDINALS[groups["ordinal"] or ""]
    day = _int(groups.get("day"))
    swapped = False
    if month is not None and month > 12 and day is not None and day <= 12 and groups.get("year"):
        month, day, swapped = day, month, True
    if (month is not None and not 1 <= month <= 12) or (day is not None and not 1 <= day <= 31):
        return None
    year = _int(groups.get("year"))
    if groups.get("short"):  # charts of this century write '19 for 2019
        year = 2000 + int(groups["short"] or 0)
    return ChartDate(year, quarter, month, day, swapped)


def _int(text: str | None) -> int | None:
    return int(text) if text else None


_WEEKDAYS = {
    name: day
    for day, names in enumerate(
        (
            "monday mon 星期一 周一", "tuesday tue tues 星期二 周二", "wednesday wed 星期三 周三",
            "thursday thu thur thurs 星期四 周四", "friday fri 星期五 周五",
            "saturday sat 星期六 周六", "sunday sun 星期日 星期天 周日",
        )
    )
    for name in names.split()
}  # fmt: skip


def weekday(text: str) -> int | None:
    """Return the day of the week that ``text`` names, Monday as 0, or None."""
    return _WEEKDAYS.get(text.strip().rstrip(".").lower()) if len(text) < 20 else None


def same_date(reference: ChartDate, answer: ChartDate) -> bool:
    """Return whether two dates give the same fields, with the same values."""
    fields = ("year", "quarter", "month", "day")
    return all(getattr(reference, name) == getattr(answer, name) for name in fields)
