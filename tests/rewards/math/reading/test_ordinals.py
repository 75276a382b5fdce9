"""Ordinal numbers, with figures and in words."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "the ending of an ordinal carries nothing": [
        (
            "12",
            [
                "12^{\\mathrm{th}}",
                "12th",
                "12^{th}",
                "12^\\text{th}",
                "12\\text{th}",
                "12\\textsuperscript{th}",
                "the 12th",
                "twelfth",
            ],
            ["12^2", "13th", "11^{th}"],
        ),
        ("12^{\\mathrm{th}}", ["12", "12th"], ["11", "13th"]),
        ("21^{\\text{st}}", ["21", "twenty-first"], ["22", "21^2"]),
        ("3rd", ["3", "third"], ["3.5", "4th"]),
        ("5^{\\text{th}} \\text{ day}", ["5", "5th day", "5th"], ["6", "6th day"]),
    ],
    "an ending that does not fit the number is none": [
        ("2", ["2nd"], ["2th", "2^{th}"]),
        ("11", ["11th"], ["11st"]),
        ("112", ["112th"], ["112nd"]),
    ],
    "a part is no position": [
        ("10", ["tenth"], ["a tenth", "1/10"]),
        ("8", ["eighth", "the eighth"], ["an eighth", "\\text{an eighth}", "a eighth"]),
        ("3", ["third"], ["a third", "one third"]),
    ],
    "letters of the reference are factors": [
        ("st+1", ["1+st", "1st + 1"], ["2"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
