"""Rounded values, where question or reference asks for them."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "exact references want exact answers, six digits earn a tolerance": [
        ("2.83", ["2.830"], ["2.828", "2\\sqrt2"]),
        ("\\approx 2.83", ["2.828", "2\\sqrt2"], ["2.8", "2.84"]),
    ],
}

# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("asked to round", "Round to two decimal places.", "2\\sqrt2", "2.83", True),
    ("more digits than asked", "Round to two decimal places.", "2.83", "2.828", True),
    ("fewer digits than asked", "Round to two decimal places.", "2.83", "2.8", False),
    ("not rounded at all", "Round to the nearest integer.", "3", "2.83", False),
]


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
