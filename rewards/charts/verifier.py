"""Charts: relaxed accuracy (Methani et al. 2020; Masry et al. 2022) with its known faults mended.

Five percent, inclusive, in exact arithmetic; exact for years, dates, counts, labels, yes/no and
zero. Whether a number is a year or a count is told by the reference or the question, never by
its size. Left out: crediting a sentence that contains the number somewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Literal

from rewards.charts.dates import read_date, same_date, weekday
from rewards.charts.lists import MAX_ITEMS, bracketed, split
from rewards.charts.numbers import ChartNumber, normal, read_number
from rewards.charts.tables import read_table, table_similarity
from rewards.errors import AnswerError, BadReferenceError
from rewards.extraction import unwrap_box
from rewards.geometry.matching import num_matched
from rewards.math.reading.cleaning import strip_phrases
from rewards.settings import Setting, Settings
from rewards.text import choice
from rewards.text.words import folded, similarity
from rewards.verdict import Finding, Request, correct, graded, unparseable, wrong

_YES = frozenset(["yes", "y", "true", "correct", "yeah", "yep", "是", "是的", "对", "正确", "有"])
_NO = frozenset(
    ["no", "n", "false", "incorrect", "nope", "否", "不", "不是", "错", "错误", "没有", "不对"]
)
_SHORT_REPLY = re.compile(
    r"(yes|no) (?:it|they|he|she|there|this|that)"
    r" (?:(?:is|are|do|does|did|was|were|has|have|can)( not)?|"
    r"(isn|aren|don|doesn|didn|wasn|weren|hasn|haven|can)t)"
)
_YEAR_QUESTION = re.compile(
    r"\b(?:which|what)\s+(?:(?:is|was|are|were|the|calendar|fiscal|single|particular|two|three|first"
    r"|last|other|earliest|latest)\s+){0,3}(?:years?|dates?)\b|\bwhen\s+(?:did|was|is|were|does|do)\b"
    r"|哪一?年|什么年份|何时|什么时候|哪一天|年份是",
    re.IGNORECASE,
)
_ELEMENTS = (
    r"bars?|lines?|colou?rs?|categor(?:y|ies)|legends?|labels?|segments?|slices?|data points?"
    r"|peaks?|rows?|columns?|ticks?|ax[ie]s|subplots?|curves?|sectors?|series|dots?|markers?|nodes?|boxes"
    r"|bins?|panels|layers|intersections?|charts?|groups?|items?"
)
_COUNTED = (
    rf"{_ELEMENTS}|countr(?:y|ies)|years?|regions?|months?|states?|cit(?:y|ies)|compan(?:y|ies)"
    r"|products?|brands?|types?|entries|variables?|quarters?|values?|classes|parties|teams"
    r"|platforms|options|elements|sports|continents|decades|days|weeks|age groups"
)
_COUNT_QUESTION = re.compile(
    rf"\bhow many\s+(?:\w+\s+){{0,3}}?(?:{_COUNTED})\b"
    rf"|\bnumber of\s+(?:\w+\s+){{0,2}}?(?:{_ELEMENTS})\b"
    r"|\bcount the\b|几[个条种根项组类次]|多少[个条种根项组类次]",
    re.IGNORECASE,
)
_ENDS = (
    "highest lowest largest smallest most least left top bottom right first biggest greatest "
    "oldest newest earliest latest best worst high low large small big"
)
_END = "|".join(_ENDS.split())
_ORDERED_QUESTION = re.compile(
    r"respectively|in (?:that |this |the |an? )?(?:\w+ )?order|ascending|descending|chronological"
    rf"|from (?:the )?(?:{_END}) to (?:the )?(?:{_END})|\brank the\b|\bsort(?:ed)?\b"
    r"|依次|分别|按.{0,6}顺序|从[大小高低左右上下多少]到[大小高低左右上下多少]|排序",
    re.IGNORECASE,
)
_SCALE_WORD = "(thousand|million|billion|trillion)s?"
_SCALE_QUESTION = re.compile(
    rf"\bin (?:\w+ )?{_SCALE_WORD}|\((?:\w+ )?{_SCALE_WORD}|how many {_SCALE_WORD}"
    r"|单位[:：为是]?\s*([万亿])|多少([万亿])",
    re.IGNORECASE,
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SCALES |= {"万": 10**4, "亿": 10**8}
_RANGE_LABEL = re.compile(r"\D{0,3}\d[\d.,]*\s*%?\s*(?:-|–|to|~|至|到)\s*\D{0,2}\d.*")
_DIGIT = re.compile(r"[0-9]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,100})?|[0-9]{1,100}\.[0-9]{1,100}%?")
_RANGE_SIGN = re.compile(r"(?<=\d)\s*(?:-|–|—|~|to|至|到)\s*(?=\d)")
_KINDS = ("number", "year", "date", "count", "text", "yes/no", "table")
_MAX_QUESTION = 20_000


@dataclass(frozen=True, kw_only=True)
class ChartsSettings(Settings):
    """How answers to questions about charts are judged."""

    tolerance: Annotated[
        float,
        Setting(
            description="How far a number may be from the reference, as a share of it, "
            "inclusive: 0.05 as in ChartQA, 0.025 as in GLM-4.1V.",
            ge=0,
            lt=1,
        ),
    ] = 0.05
    partial_text: Annotated[
        Literal["none", "edit"],
        Setting(
            description="What a label earns that differs from the reference: nothing, or with "
            "'edit' 1 - edit distance / longer length."
        ),
    ] = "none"


@dataclass(frozen=True, slots=True)
class ChartCues:
    """What question and reference say of the kind of value."""

    year: bool = False
    count: bool = False
    ordered: bool = False
    text: bool = False
    scale: int = 1


class ChartsVerifier:
    """Judges answers to questions about charts."""

    pass_mark = 1.0

    def __init__(self, settings: ChartsSettings) -> None:
        self._settings = settings
        self._tolerance = Fraction(str(settings.tolerance))

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare ``answer`` with a value, a list of values, or a table."""
        reference, cues, is_table = _read_reference(request.reference, request.question)
        if is_table:
            return _judge_table(reference, answer)
        written = request.reference
        if isinstance(written, str) and _same_text(answer, written):
            return correct("the same text")
        listed = choice.options(request.question)
        if isinstance(reference, str) and listed:
            letters = choice.reference_letters(reference)
            if letters is not None:
                fits, why = choice.matches(answer, letters, listed)
                return correct(why) if fits else wrong(why)
            chosen = choice.letters(answer)
            if chosen is not None and len(chosen) == 1:
                answer = listed.get(next(iter(chosen)), answer)
        answer = _plain_answer(answer)
        if isinstance(reference, list):
            one_label = isinstance(written, str) and not _DIGIT.search(written)
            if one_label and _label(answer) == _label(written):
                return correct("the same text")
            return self._judge_list(reference, answer, cues)
        fits, why = self._same(reference, answer, cues)
        if fits:
            return correct(why)
        items = bracketed(answer)
        if items is not None and len(items) == 1 and self._same(reference, str(items[0]), cues)[0]:
            return correct("a list of one")
        return self._partial(reference, answer, why)

    def _judge_list(self, reference: list[str], answer: str, cues: ChartCues) -> Finding:
        raw = bracketed(answer)
        items = [str(item) for item in raw] if raw is not None else split(answer)
        if len(items) != len(reference):
            return wrong(f"{len(items)} items for {len(reference)}")
        fits = [[self._same(r, item, cues)[0] for item in items] for r in reference]
        in_place = sum(row[i] for i, row in enumerate(fits))
        matched = in_place if cues.ordered else num_matched(fits)
        return (
            correct("all items")
            if matched == len(items)
            else wrong(f"{matched} of {len(items)} items", undecided=cues.text)
        )

    def _same(self, reference: str, answer: str, cues: ChartCues) -> tuple[bool, str]:
        """Compare one value by the reference's kind."""
        truth = yes_no(reference)
        if truth is not None:
            return yes_no(answer) == truth, "yes or no"
        plain = _PLAIN_NUMBER.fullmatch(reference) and not cues.year
        date = None if plain else read_date(reference)
        if date is not None and (cues.year or not date.is_plain_year or _names_year(reference)):
            found = read_date(answer)
            return found is not None and same_date(date, found), "a date, exact"
        expected = None if cues.text else read_number(reference)
        if expected is None:
            day = weekday(reference)
            same_day = day is not None and weekday(answer) == day
            return same_day or _label(answer) == _label(reference), "a label, exact"
        number = read_number(answer)
        if number is None:
            return False, "not one number"
        return self._same_number(expected, number, cues)

    def _same_number(
        self, expected: ChartNumber, found: ChartNumber, cues: ChartCues
    ) -> tuple[bool, str]:
        if found.hedged and (cues.year or cues.count):
            return False, "an approximate value where an exact one is asked"
        if expected.currency and found.currency and expected.currency != found.currency:
            return False, "another currency"
        if expected.unit and found.unit and expected.unit != found.unit:
            return False, "another unit"
        if (expected.percent and (found.unit or found.currency)) or (
            found.percent and (expected.unit or expected.currency)
        ):
            return False, "a percentage against a unit"
        tolerance = Fraction(0) if cues.year or cues.count else self._tolerance
        for one, other in _readings(expected, found, cues.scale):
            if abs(other - one) <= tolerance * abs(one):
                return True, "within the tolerance" if other != one else "equal"
        return False, "outside the tolerance" if tolerance else "not exact"

    def _partial(self, reference: str, answer: str, why: str) -> Finding:
        is_label = why.startswith("a label")
        if is_label and self._settings.partial_text == "edit" and len(answer) <= 2_000:
            return graded(
                min(similarity(folded(answer), folded(reference)), 0.999), "part of a label"
            )
        if why == "not one number":
            return unparseable(why)
        return wrong(why, undecided=is_label)


def _readings(
    expected: ChartNumber, found: ChartNumber, scale: int
) -> list[tuple[Fraction, Fraction]]:
    """Pairs of values to compare: as written, and with a percent sign or scale on one side only."""
    pairs = [(expected.value, found.value)]
    if expected.percent and not found.percent:
        pairs.append((expected.value / 100, found.value))
    elif found.percent and not expected.percent:
        pairs.append((expected.value, found.value / 100))
    if scale > 1 and expected.scaled != found.scaled:
        with_scale, without = (expected, found) if expected.scaled else (found, expected)
        if with_scale.value == with_scale.plain * scale:
            pairs.append((expected.plain, found.plain))
        else:
            scaled = without.value * scale
            pairs.append((expected.value, scaled) if expected.scaled else (scaled, found.value))
    return pairs


def _same_text(one: str, other: str) -> bool:
    """Whether two texts differ in case and spacing at most."""
    return one.casefold().split() == other.casefold().split()


def _label(text: str) -> str:
    """A label folded, with any sign for "to" between numbers as one."""
    return folded(_RANGE_SIGN.sub("-", text))


def _names_year(text: str) -> bool:
    return "year" in text.lower() or "年" in text


def yes_no(text: str) -> bool | None:
    """Return what a word for yes or no says; None for other words."""
    if len(text) > 40 or _DIGIT.search(text):
        return None
    word = folded(normal(text))
    if (sentence := _SHORT_REPLY.fullmatch(word)) is not None:
        negated = bool(sentence[2] or sentence[3])
        return None if (sentence[1] == "yes") == negated else not negated
    if word in _YES:
        return True
    return False if word in _NO else None


def _plain_answer(answer: str) -> str:
    if len(answer) > 4_096:
        return answer
    if _PLAIN_NUMBER.fullmatch(answer):
        return answer
    answer = strip_phrases(answer.strip())
    return re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", answer).strip()


@lru_cache(maxsize=4096)
def _question_cues(question: str | None) -> ChartCues:
    if not question:
        return ChartCues()
    question = question[:_MAX_QUESTION]
    scale = _SCALE_QUESTION.search(question)
    word = next((group for group in scale.groups() if group), "") if scale else ""
    counts = bool(_COUNT_QUESTION.search(question))
    return ChartCues(
        year=bool(_YEAR_QUESTION.search(question)) and not counts,
        count=counts,
        ordered=bool(_ORDERED_QUESTION.search(question)),
        scale=_SCALES.get(word.lower(), 1),
    )


def _read_reference(reference: Any, question: str | None) -> tuple[Any, ChartCues, bool]:
    """The value or values, the cues, and whether it is a table. Raises BadReferenceError."""
    cues = _question_cues(question)
    kind = None
    if isinstance(reference, dict):
        if "table" in reference:
            reference, kind = reference["table"], "table"
        else:
            kind = reference.get("kind", reference.get("type"))
            if kind is not None and kind not in _KINDS:
                raise BadReferenceError(f"kind: expected one of {_KINDS}, found {kind!r}")
            reference = reference.get("value", reference.get("answer"))
    is_rows = isinstance(reference, list) and any(isinstance(row, list) for row in reference)
    if kind == "table" or is_rows or (isinstance(reference, str) and reference.count("|") > 2):
        table = read_table(reference)
        if table is None:
            raise BadReferenceError("the reference is no table")
        return table, cues, True
    if kind in ("year", "date", "count", "text"):
        cues = ChartCues(
            kind in ("year", "date"), kind == "count", cues.ordered, kind == "text", cues.scale
        )
    elif kind == "number":
        cues = ChartCues(False, False, cues.ordered, False, cues.scale)
    return _values(reference, cues), cues, False


def _value(reference: Any) -> str:
    """One value as text. Raises BadReferenceError."""
    if isinstance(reference, bool):
        return "yes" if reference else "no"
    if isinstance(reference, float) and reference - reference != 0:
        raise BadReferenceError("the reference is not finite")
    if not isinstance(reference, str | int | float):
        raise BadReferenceError(f"expected a value, found {type(reference).__name__}")
    text = unwrap_box(str(reference))
    if not text:
        raise BadReferenceError("the reference is empty")
    return text


def _values(reference: Any, cues: ChartCues) -> str | list[str]:
    """A value, or the values of a list, whose items are not split further."""
    if isinstance(reference, list):
        if not reference or any(isinstance(item, list | dict) for item in reference):
            raise BadReferenceError("expected a list of values")
        if len(reference) > MAX_ITEMS:
            raise BadReferenceError(f"expected at most {MAX_ITEMS} values, found {len(reference)}")
        items = [_value(item) for item in reference]
        return items if len(items) > 1 else items[0]
    text = _value(reference)
    raw = bracketed(text) if text[0] == "[" else None
    if raw:
        return _values(raw, cues)
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    if cues.text or read_date(text) is not None or read_number(text) is not None:
        return text
    if _RANGE_LABEL.fullmatch(text):
        return text
    items = split(text)
    simple = len(items) > 1 and (";" in text or re.search(r",|、|，|\band\b", text) is not None)
    all_numbers = all(read_number(item) is not None for item in items)
    short = all(len(item.split()) <= 4 for item in items)
    return items if simple and (all_numbers or short) else text


def _judge_table(reference: Any, answer: str) -> Finding:
    fenced = re.fullmatch(r"```\w*\n(.*?)\n?```", answer.strip(), re.DOTALL)
    table = read_table(bracketed(answer)) or read_table(fenced[1] if fenced else answer)
    if table is None:
        raise AnswerError("not a table")
    score = table_similarity(reference, table)
    return graded(round(score, 9), f"relative mapping similarity {score:.3f}")
