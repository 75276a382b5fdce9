"""Visual question answering: short answers about pictures."""

from __future__ import annotations

import re

from rewards.charts.numbers import read_number
from rewards.charts.verifier import yes_no
from rewards.math.reading.cleaning import strip_phrases
from rewards.settings import NoSettings
from rewards.text import choice
from rewards.text.references import reference_texts
from rewards.text.words import folded
from rewards.verdict import Finding, Request, correct, wrong

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


class VqaVerifier:
    """Judges short answers about pictures: yes/no, numbers exactly, options, folded text."""

    pass_mark = 1.0

    def __init__(self, settings: NoSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Judge by rules; what they leave open is marked undecided, for a judge."""
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
