"""Set operations between the sides of a clause."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "notations of counting, matrices, logarithms and unions": [
        ("(1,2]\\cup[3,4)", ["[3,4) U (1,2]"], ["(1,2) U [3,4)"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
