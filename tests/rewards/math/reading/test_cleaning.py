"""Unicode, delimiters, Chinese numerals and phrases around an answer."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("1/2", ["$\\dfrac{1}{2}$", "½"], []),
        ("5", ["５", "**5**"], []),
        ("-5", ["−5", "负五"], []),
    ],
    "Chinese": [
        ("2/3", ["三分之二"], ["二分之三"]),
        ("12000", ["1.2万", "一万二千"], ["1.2亿"]),
        ("25", ["二十五", "答案是25"], ["二十六"]),
        ("17/3", ["五又三分之二"], []),
        ("x=3", ["x等于3"], ["x等于4"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
