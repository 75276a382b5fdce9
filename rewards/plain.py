"""The domains that need no page of rules: OCR, counting, VQA, choice and text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from rewards import choice
from rewards.charts.numbers import read_number
from rewards.charts.verifier import yes_no
from rewards.errors import BadReferenceError, SettingsError
from rewards.math.reading.cleaning import strip_phrases
from rewards.verdict import Finding, Request, correct, graded, unparseable, wrong
from rewards.words import folded, similarity, token_f1

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_THERE_ARE = re.compile(
    r"^(?:there (?:is|are)|there's|有)\s*(?:only\s+|a total of\s+|in total\s+)?", re.I
)
_MAX_REFERENCE_CHARACTERS = 200_000


def reference_text(reference: Any) -> str:
    """A reference as text. Raises BadReferenceError."""
    if isinstance(reference, bool) or not isinstance(reference, str | int | float):
        raise BadReferenceError(f"expected text, found {type(reference).__name__}")
    text = str(reference).strip()
    if not text:
        raise BadReferenceError("the reference is empty")
    if len(text) > _MAX_REFERENCE_CHARACTERS:
        raise BadReferenceError(f"longer than {_MAX_REFERENCE_CHARACTERS} characters")
    return text


def reference_texts(reference: Any) -> list[str]:
    """One text, or a list of texts any of which is right. Raises BadReferenceError."""
    if isinstance(reference, list):
        if not reference:
            raise BadReferenceError("the reference is an empty list")
        return [reference_text(item) for item in reference]
    return [reference_text(reference)]


def _check_mark(mark: float) -> None:
    if not 0 < mark <= 1:
        raise SettingsError(f"pass_mark: expected 0 to 1, found {mark}")


@dataclass(frozen=True, kw_only=True)
class OcrSettings:
    """pass_mark: the similarity from which a transcription counts as passed."""

    pass_mark: float = 0.9

    def __post_init__(self) -> None:
        _check_mark(self.pass_mark)


class OcrVerifier:
    """1 - edit distance / longer length, on exact characters (GLM-4.1V)."""

    def __init__(self, settings: OcrSettings) -> None:
        self.pass_mark = settings.pass_mark

    def judge(self, answer: str, request: Request) -> Finding:
        """Score a transcription; line ends are normalised, nothing else."""
        expected = reference_text(request.reference).replace("\r\n", "\n")
        found = answer.strip().replace("\r\n", "\n")
        score = similarity(expected, found)
        return graded(score, f"similarity {score:.4f}")


@dataclass(frozen=True, kw_only=True)
class CountingSettings:
    """No settings."""


class CountingVerifier:
    """Whole numbers, exactly."""

    pass_mark = 1.0

    def __init__(self, settings: CountingSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare counts; digits, words and a counted noun are fine."""
        expected = read_number(reference_text(request.reference))
        if expected is None or expected.value.denominator != 1:
            raise BadReferenceError(f"expected a whole number, found {request.reference!r}")
        text = _THERE_ARE.sub("", strip_phrases(answer[:2_000]))
        if not expected.value and text.lower() in ("none", "没有"):
            return correct("none is zero")
        found = read_number(text)
        if found is not None and found.hedged:
            return wrong("an approximate count")
        if found is None or found.percent or found.currency:
            return unparseable("not one number")
        if found.value == expected.value:
            return correct("the same count")
        return wrong(f"{found.value} is another count")


@dataclass(frozen=True, kw_only=True)
class VqaSettings:
    """No settings."""


class VqaVerifier:
    """Short answers about pictures: yes/no, numbers exactly, options, folded text."""

    pass_mark = 1.0

    def __init__(self, settings: VqaSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Rules first; what they leave open is marked undecided, for a judge."""
        if isinstance(request.reference, bool):
            texts = ["yes" if request.reference else "no"]
        else:
            texts = reference_texts(request.reference)
        answer = strip_phrases(answer[:5_000])
        findings = [_judge_short(text, answer, request.question) for text in texts]
        return max(findings, key=lambda finding: (finding.score, finding.undecided))


def _judge_short(reference: str, answer: str, question: str | None) -> Finding:
    listed = choice.options(question)
    letters = choice.reference_letters(reference)
    if letters is not None and (listed or choice.letters(answer) is not None):
        fits, why = choice.matches(answer, letters, listed)
        return correct(why) if fits else wrong(why)
    chosen = choice.letters(answer)
    if listed and chosen is not None and len(chosen) == 1:
        answer = listed.get(next(iter(chosen)), answer)
    truth = yes_no(reference)
    if truth is not None:
        return correct("yes or no") if yes_no(answer) == truth else wrong("yes or no")
    expected, found = read_number(reference), read_number(answer)
    if expected is not None and found is not None:
        values = [number.value / (100 if number.percent else 1) for number in (expected, found)]
        same = values[0] == values[1]
        return correct("the same number") if same else wrong("another number")
    if _without_articles(reference) == _without_articles(answer):
        return correct("the same words")
    return wrong("other words", undecided=expected is None)


def _without_articles(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", folded(text)).split())


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """No settings."""


class ChoiceVerifier:
    """Multiple choice: a letter, several letters, or an option's content."""

    pass_mark = 1.0

    def __init__(self, settings: ChoiceSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare the chosen letters; content needs the options in the question."""
        value = request.reference
        reference = ", ".join(map(str, value)) if isinstance(value, list) else value
        reference = reference_text(reference)
        listed = choice.options(request.question)
        expected = choice.reference_letters(reference.upper() if len(reference) == 1 else reference)
        if expected is None:
            by_content = [
                k for k, v in listed.items() if choice.folded(v) == choice.folded(reference)
            ]
            if len(by_content) != 1:
                raise BadReferenceError("neither letters nor the content of a listed option")
            expected = frozenset(by_content)
        if listed and not expected <= set(listed):
            raise BadReferenceError(f"{reference!r} is not among the options {sorted(listed)}")
        fits, why = choice.matches(answer[:5_000], expected, listed)
        return correct(why) if fits else wrong(why)


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """metric: "exact" (folded), "verbatim", "f1" (tokens), or "anls" (Biten et al. 2019).

    pass_mark: the score from which f1 and anls count as passed.
    """

    metric: Literal["exact", "verbatim", "f1", "anls"] = "exact"
    pass_mark: float = 0.5

    def __post_init__(self) -> None:
        if self.metric not in _METRICS:
            raise SettingsError(f"metric: expected one of {list(_METRICS)}, found {self.metric!r}")
        _check_mark(self.pass_mark)


class TextVerifier:
    """Free text against one reference, or the best of several."""

    def __init__(self, settings: TextSettings) -> None:
        self._metric = _METRICS[settings.metric]
        exact = settings.metric in ("exact", "verbatim")
        self.pass_mark = 1.0 if exact else settings.pass_mark

    def judge(self, answer: str, request: Request) -> Finding:
        """Score by the configured metric."""
        expected = reference_texts(request.reference)
        score = max(self._metric(text, answer.strip()) for text in expected)
        return graded(score, f"score {score:.4f}", undecided=True)


def _anls(reference: str, answer: str) -> float:
    """Normalised similarity, 0 below one half."""
    score = similarity(" ".join(reference.lower().split()), " ".join(answer.lower().split()))
    return score if score >= 0.5 else 0.0


_METRICS: dict[str, Callable[[str, str], float]] = {
    "exact": lambda reference, answer: float(folded(reference) == folded(answer)),
    "verbatim": lambda reference, answer: float(reference == answer),
    "f1": token_f1,
    "anls": _anls,
}
