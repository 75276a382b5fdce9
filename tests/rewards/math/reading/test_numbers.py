"""Numbers in other bases."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("5", ["101_2", "0b101", "(101)_2"], ["102_2"]),
    ],
    "leading signs and zeros": [
        ("7", ["+7", "007", "+07", "+ 7"], ["-7", "70"]),
        ("+7", ["7"], ["-7"]),
        ("0.5", ["+.5", "00.5", "+0.50"], ["0.05"]),
        ("(+1,+2)", ["(1,2)"], ["(1,-2)"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
