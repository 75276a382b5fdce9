"""Dots for numbers that are left out."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "notations of counting, matrices, logarithms and unions": [
        ("\\{1,2,\\ldots,5\\}", ["\\{1,2,3,4,5\\}", "1, 2, ..., 5"], ["\\{1,2,\\ldots,6\\}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
