"""Statements with quantifiers."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "signs and words of statements": [
        (
            "\\forall x\\in\\mathbb{R}, x^2+1>0",
            ["∀x∈R，都有 x²+1>0", "\\forall x \\in R: x^2+1>0"],
            ["x^2+1>0", "\\forall x\\in\\mathbb{R}"],
        ),
        (
            "\\exists x \\in \\mathbb{R}: x^2+1=0",
            ["∃x∈R, x^2+1=0", "\\exists x \\in \\mathbb{R} \\text{ such that } x^2+1=0"],
            ["x^2+1=0"],
        ),
        ("x>0", ["\\forall x > 0", "∀x>0"], ["\\forall x<0"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
