"""Groupings, tuples and binomials in brackets and braces."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("5", ["(5)", "[5]"], []),
    ],
    "notations of counting, matrices, logarithms and unions": [
        ("{10 \\choose 3}", ["120", "\\binom{10}{7}"], []),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
