"""Ratios and congruences."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "ratios, congruences, general solutions, bound names": [
        ("3:4", ["6:8", "3/4"], ["4:3"]),
        ("2:3:4", ["4:6:8"], ["2:4:3"]),
        ("12:00", ["12:00"], ["1:00"]),
        (
            "x \\equiv 3 \\pmod 7",
            ["10 \\pmod 7", "x=7k+3, k\\in\\mathbb{Z}"],
            ["x\\equiv 4\\pmod 7"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
