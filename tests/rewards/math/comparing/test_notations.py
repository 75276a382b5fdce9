"""Percentages and bases that a question asks for."""

from __future__ import annotations

import pytest
from rewards_math_cases import check

# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("asked for a percentage", "What percent of 10 is 5?", "50%", "50", True),
    ("asked for a percentage", "What percentage is it?", "50", "50%", True),
    ("a bare fraction is no percentage", "What percent?", "50", "0.5", False),
    ("digits of the asked base", "Write 5 in base 2.", "101_2", "101", True),
    ("the value in the wrong base", "Write 5 in base 2.", "101_2", "5", False),
]


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
