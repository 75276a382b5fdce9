"""Texts beyond what is read: named so, whatever they say, and never a failure of ours."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, verify

LARGE = {
    "characters": "1+" * 2_100 + "1",
    "tokens": "x " * 1_600,
    "digits": "1" * 1_001 + ".5",
    "brackets within brackets": "(" * 65 + "1" + ")" * 65,
    "nodes": "x" + "/x" * 400,
    "powers of powers": "2^" * 491 + "1",
    "powers of negative powers": "2^-" * 248 + "1",
    "signs before a factor": "2*" + "-" * 491 + "x",
    "roots of roots": "√" * 900 + "1",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("reference", ["5", "x^2+1", "\\{1,2\\}", "5 m"])
def test_a_large_answer_is_refused(text: str, reference: str) -> None:
    verdict = verify(Request(domain="math", response=text, reference=reference, bare=True))
    assert verdict.outcome is Outcome.UNPARSEABLE


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_reference_passes_as_the_same_text_alone(text: str) -> None:
    request = Request(domain="math", response=text, reference=text, bare=True)
    assert verify(request).outcome is Outcome.CORRECT
    other = Request(domain="math", response="7", reference=text, bare=True)
    assert verify(other).outcome is Outcome.WRONG
