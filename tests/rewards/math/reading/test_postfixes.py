"""Signs of percent and of a factorial after a value."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("1/2", ["50\\%"], []),
    ],
    "letters, digits and signs that stand apart": [
        ("15", ["5!!"], ["(5!)!", "5!!!"]),
    ],
    "percent": [
        ("50%", ["0.5", "1/2", "百分之五十", "50 percent", "50 pct"], ["50", "0.05"]),
        ("1/3", ["33\\frac{1}{3}\\%"], ["33\\%"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
