"""Math: the reference decides the type; exact values want exact answers.

Sources of the conventions: VERIFIERS.md of this project (rules from reading and running
Math-Verify, prm800k, Qwen2.5-Math and others). Left out: partial credit, and any judgement of
how an answer is simplified beyond refusing a repetition of the question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

from rewards.errors import AnswerError, BadReferenceError
from rewards.extraction import unwrap_box
from rewards.math.comparing.comparison import Comparison
from rewards.math.comparing.restating import restates
from rewards.math.comparing.riders import narrows, same_riders, with_letters_of
from rewards.math.evaluating.numeric import Unevaluable
from rewards.math.reading.answers import parse
from rewards.math.reading.cleaning import canonical
from rewards.math.reading.cues import Cues, read_cues
from rewards.math.reading.escapes import repaired, suspected
from rewards.math.reading.lexer import PLAIN_READING, Reading
from rewards.math.reading.limits import MAX_CHARACTERS, BeyondLimits
from rewards.math.reading.riders import NO_RIDERS, Riders, split_riders
from rewards.math.reading.variables import readings_of_reference
from rewards.math.tree import (
    Bracket,
    Call,
    Listing,
    Node,
    Number,
    Product,
    Relation,
    SetOf,
    Words,
    symbols,
    walk,
)
from rewards.settings import Setting, Settings
from rewards.text import choice
from rewards.verdict import Finding, Outcome, Request, correct, unparseable, wrong

_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}")
_LETTERS = re.compile(r"[^\d=+*/^_<>|]*")
_COMMA_DECIMAL = re.compile(r"[-+−]?\s*\\?\$?\s*\d+(?:,|，)\d+\D*")
_DECIMAL_COMMA_REFERENCE = re.compile(r"[-+]?\d{1,100},\d{1,100}")
_TEXT_REFERENCE = re.compile(r"[^\\_^{}=+*/<>|]*[^\W\d_][^\\_^{}=+*/<>|]*")
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox)\s*\{([^{}]*)\}")
_SEVERAL = re.compile(r"\d,\d")
_APPROXIMATE = re.compile(r"\s*(?:\\approx|≈|约)")


@dataclass(frozen=True, kw_only=True)
class MathSettings(Settings):
    """How mathematical answers are judged."""

    allow_restating: Annotated[
        bool, Setting(description="Whether an answer may repeat an expression of the question.")
    ] = False


class MathVerifier:
    """Judges mathematical answers against a reference, whose type decides how."""

    pass_mark = 1.0

    def __init__(self, settings: MathSettings) -> None:
        self._settings = settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare ``answer`` with the reference. Raises BadReferenceError, AlgebraNeeded."""
        reference = _text_of(request.reference)
        if _INTEGER.fullmatch(answer) and _INTEGER.fullmatch(reference):
            same = int(answer) == int(reference)
            return correct("the same integer") if same else wrong("another integer")
        if len(answer) > MAX_CHARACTERS:
            _parse_reference(reference)  # a bad reference is named whatever the answer is
            if "".join(answer.split()) == "".join(reference.split()):
                return correct("the same text")
            return unparseable(f"longer than {MAX_CHARACTERS} characters")
        if (labels := choice.statements(reference)) is not None:
            same = choice.statements(answer) == labels
            return correct("the same statements") if same else wrong("other statements")
        if (by_letter := _judge_choice(answer, reference, request.question)) is not None:
            return by_letter
        expected = _parse_reference(reference)
        if answer == reference or _same_text(answer, reference):
            return correct("the same text")
        if expected is None:
            return wrong("the reference is beyond the limits, and the text is another")
        answer = _option_content(answer, reference, request.question)
        if not self._settings.allow_restating and restates(answer, reference, request.question):
            return wrong("repeats the question")
        cues = read_cues(request.question)
        return _judge_readings(answer, reference, expected, cues)


def _text_of(reference: object) -> str:
    if isinstance(reference, bool) or not isinstance(reference, str | int | float | list | tuple):
        raise BadReferenceError(f"expected text or a number, found {type(reference).__name__}")
    if isinstance(reference, list | tuple):
        return ", ".join(_text_of(item) for item in reference)
    text = repaired(str(reference)).strip()
    if not text:
        raise BadReferenceError("the reference is empty")
    if "boxed" not in text:
        return text
    return unwrap_box(re.sub(r"^(?:\$+|\\[(\[])\s*|\s*(?:\$+|\\[)\]])$", "", text))


@dataclass(frozen=True)
class _Reference:
    """A reference as it is compared.

    readings: its trees, each with the letters that are variables in its answers. riders: what it
    says of its letters.
    """

    readings: tuple[tuple[Node, frozenset[str]], ...]
    riders: Riders = NO_RIDERS


@lru_cache(maxsize=4096)
def _parse_reference(reference: str) -> _Reference | None:
    """The reference as trees; None when it is beyond the limits of the parser."""
    damaged = suspected(reference) if len(reference) <= MAX_CHARACTERS else None
    if damaged is not None:
        raise BadReferenceError(
            f"the reference {reference[:100]!r} looks like a damaged escape; repaired it reads "
            f"{damaged[:100]!r}"
        )
    text, riders = split_riders(reference)
    try:
        readings = readings_of_reference(text)
        for node, _ in readings:
            if any(isinstance(part, Words) and not part.text.strip() for part in walk(node)):
                raise BadReferenceError(f"the reference does not parse: {reference[:100]!r}")
        return _Reference(tuple(readings), riders)
    except AnswerError as error:
        if len(reference) > MAX_CHARACTERS or isinstance(error, BeyondLimits):
            return None
        plain = _TEXT_COMMAND.sub(r"\1", reference)
        if _TEXT_REFERENCE.fullmatch(plain):
            words = Words(" ".join(plain.lower().split()))
            return _Reference(((words, frozenset()),))
        raise BadReferenceError(f"the reference does not parse: {error}") from error


def _same_text(answer: str, reference: str) -> bool:
    if len(answer) > 3 * len(reference) + 100 or len(reference) > 3 * len(answer) + 100:
        return False
    return canonical(answer) == _canonical_reference(reference)


@lru_cache(maxsize=4096)
def _canonical_reference(reference: str) -> str:
    return canonical(reference)


def _judge_choice(answer: str, reference: str, question: str | None) -> Finding | None:
    """Letters for a reference that is a letter; None when the reference is no choice."""
    expected = choice.reference_letters(reference)
    if expected is None:
        return None
    listed = choice.options(question)
    is_bare = len(reference) == 1 and not listed
    if not listed and len(expected) > 1 and choice.letters(answer) is None:
        return None
    fits, why = choice.matches(answer, expected, listed)
    if fits:
        return correct(why)
    return None if is_bare and choice.letters(answer) is None else wrong(why)


def _option_content(answer: str, reference: str, question: str | None) -> str:
    """The content behind a letter, when the question lists options and the reference is content."""
    listed = choice.options(question)
    if not listed:
        return answer
    chosen = choice.letters(answer)
    if chosen is None or len(chosen) != 1 or choice.reference_letters(reference) is not None:
        return answer
    return listed.get(next(iter(chosen)), answer)


def _judge_readings(answer: str, reference: str, expected: _Reference, cues: Cues) -> Finding:
    """Compare ``answer`` with each reading of the reference; the first finding counts."""
    text, riders = split_riders(answer)
    said = expected.riders
    if riders is not said and not same_riders(said, riders, expected.readings[0][0]):
        return wrong("what is said of the letters differs")
    if _APPROXIMATE.match(reference):
        cues = replace(cues, rounds=True)
    findings: list[Finding] = []
    for node, variables in expected.readings:
        if findings and riders.parameters and not expected.riders.parameters:
            continue  # the letter of 2 g, read as a factor, runs over no integers
        found = _judge_reading(text, node, variables, cues, (expected.riders, riders))
        if found.outcome is Outcome.CORRECT:
            return found
        findings.append(found)
    if _DECIMAL_COMMA_REFERENCE.fullmatch(reference) and "," not in text:
        decimal = parse(reference, Reading(grouped=False, decimal_comma=True))
        if Comparison(decimal, parse(text), cues).holds():
            return correct("equal, the reference read with a decimal comma")
    worded = isinstance(expected.readings[0][0], Words) or _LETTERS.fullmatch(reference)
    if worded and _same_words(answer, reference):
        return correct("the same words")
    return findings[0]


def _judge_reading(
    text: str, node: Node, variables: frozenset[str], cues: Cues, riders: tuple[Riders, Riders]
) -> Finding:
    """Try the readings of commas in an answer that one reading of the reference allows."""
    problem: AnswerError | None = None
    parsed = False
    for reading in _readings(text, node, variables):
        try:
            found = parse(text, reading)
            parsed = True
            if riders[1].domains and narrows(riders, found):
                return wrong("the answer is restricted to other numbers")
            if isinstance(node, Relation) and node.operators == ("~",):
                node, cues = node.sides[-1], replace(cues, rounds=True)
            found = with_letters_of(riders, node, found)
            case = Comparison(node, found, cues, riders[0].parameters, riders[1].parameters)
            if case.holds():
                return correct("equal")
        except (AnswerError, Unevaluable) as error:
            problem = error if isinstance(error, AnswerError) else AnswerError(str(error))
    if not parsed:
        return unparseable(str(problem))
    return wrong(str(problem) if problem else _why_not(node, found))


def _readings(text: str, reference: Node, variables: frozenset[str]) -> list[Reading]:
    """How commas may be read: grouped digits first, then what the reference's type admits."""
    readings = [Reading(variables=variables) if variables else PLAIN_READING]
    if _SEVERAL.search(text.replace("，", ",").replace(" ", "")):
        if isinstance(reference, Listing | SetOf | Bracket):
            readings.append(Reading(grouped=False, variables=variables))
        elif _COMMA_DECIMAL.fullmatch(text.strip().strip("$")):
            readings.append(Reading(grouped=False, decimal_comma=True, variables=variables))
    return readings


def _same_words(answer: str, reference: str) -> bool:
    def folded(text: str) -> str:
        return re.sub(r"[\s.,!?'\"]+", " ", re.sub(r"\\text\{([^{}]*)\}|\$", r"\1", text)).strip()

    if len(reference) < 3:  # k is not K
        return folded(answer) == folded(reference)
    return folded(answer.lower()) == folded(reference.lower())


def _why_not(reference: Node, found: Node) -> str:
    if _is_decimal(found) and not _is_decimal(reference) and not symbols(reference):
        return "not equal; a rounded value is no answer to an exact reference"
    return "not equal"


def _is_decimal(node: Node) -> bool:
    if isinstance(node, Product) and len(node.factors) == 2:
        return _is_decimal(node.factors[1])
    if isinstance(node, Call) and node.name == "percent":
        return _is_decimal(node.arguments[0])
    return isinstance(node, Number) and node.places > 0
