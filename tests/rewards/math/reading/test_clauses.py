"""Set operations between the sides of a clause."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "notations of counting, matrices, logarithms and unions": [
        ("(1,2]\\cup[3,4)", ["[3,4) U (1,2]"], ["(1,2) U [3,4)"]),
    ],
    "the remainder a mod b": [
        (
            "3",
            ["a \\bmod b = 3", "17 \\bmod 7 = 3", "N \\bmod 10 = 3"],
            ["17 \\bmod 7 = 4", "a \\bmod b = 4"],
        ),
        ("a \\bmod b = r", ["r"], ["a", "q"]),
        ("a \\bmod 7 = 3", ["3", "a\\equiv3\\pmod7"], ["4", "a \\bmod 7 = 4", "a\\equiv3\\pmod8"]),
        ("x\\equiv 3\\pmod 7", ["x \\bmod 7 = 3"], ["x \\bmod 7 = 4"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
