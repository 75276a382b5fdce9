"""What goes into a check and what comes out of it.

Left out: the reward. A verdict is a category and a score; turning them into the number a
learner sees is ``rewards.shaping``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The category of a verdict. The last three say that *we* failed, not the model."""

    CORRECT = "correct"
    PARTIAL = "partial"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    UNPARSEABLE = "unparseable"
    BAD_REFERENCE = "bad_reference"
    TIMEOUT = "timeout"
    ERROR = "error"


OUR_FAILURES = frozenset({Outcome.BAD_REFERENCE, Outcome.TIMEOUT, Outcome.ERROR})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The judgement of one response.

    score: in [0, 1]; 0.0 when we failed. extracted: the answer that was compared (capped),
    None when there was none. detail: why, in a few words. seconds: time the check took.
    """

    outcome: Outcome
    score: float
    extracted: str | None
    detail: str
    seconds: float

    @property
    def ours_failed(self) -> bool:
        """True when the verdict says nothing about the answer: it must carry no reward."""
        return self.outcome in OUR_FAILURES


@dataclass(frozen=True, kw_only=True)
class Request:
    """One answer to judge.

    response: the model's whole text, or with ``bare`` the answer alone. reference: a string,
    number, list or object as the domain documents. question: used where a rule depends on it
    (rounding, percentages, options, years, order).
    """

    domain: str
    response: str
    reference: Any
    question: str | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a domain's rules say of an extracted answer; the registry makes the Verdict.

    undecided: the rules could not tell (a paraphrase, say); a judge may be asked, and without
    one the finding stands as it is.
    """

    outcome: Outcome
    detail: str
    score: float = 0.0
    undecided: bool = False


def correct(detail: str) -> Finding:
    """A full score."""
    return Finding(Outcome.CORRECT, detail, 1.0)


def wrong(detail: str, *, undecided: bool = False) -> Finding:
    """A zero score for an answer that was understood."""
    return Finding(Outcome.WRONG, detail, 0.0, undecided)


def unparseable(detail: str) -> Finding:
    """A zero score for an answer that was not understood."""
    return Finding(Outcome.UNPARSEABLE, detail)


def graded(score: float, detail: str, *, undecided: bool = False) -> Finding:
    """A score in [0, 1]: CORRECT at 1, WRONG at 0, PARTIAL between."""
    if score >= 1.0:
        return correct(detail)
    if score <= 0.0:
        return wrong(detail, undecided=undecided)
    return Finding(Outcome.PARTIAL, detail, score, undecided)
