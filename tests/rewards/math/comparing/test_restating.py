"""Answers that only copy the question."""

from __future__ import annotations

import pytest
from rewards_math_cases import check

# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("copies the question", "What is $3 \\times 4$?", "12", "3 \\times 4", False),
    ("copies the question", "Simplify $\\frac{2}{6}$.", "\\frac{1}{3}", "\\frac{2}{6}", False),
    ("copies the question", "Evaluate $\\sqrt{25}$.", "5", "\\sqrt{25}", False),
    ("copies the question", "Compute $5!$.", "120", "5!", False),
    ("a part of a number is no copy", "Compute $15!/14!+105$.", "120", "5!", True),
    ("copies the question", "Evaluate $\\binom{5}{2}$.", "10", "\\binom{5}{2}", False),
    ("a finished value is no copy", "Each has side $\\frac{1}{2}$.", "0.5", "\\frac12", True),
    ("a finished value is no copy", "Is $\\sqrt{2}$ > 1?", "2^{1/2}", "\\sqrt{2}", True),
    ("copies the question", "Expand $(x+1)^2$.", "x^2+2x+1", "(x+1)^2", False),
]


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
