"""Fractions and other LaTeX commands with arguments."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("1/2", ["\\frac12"], []),
        ("-5", ["-\\frac{10}{2}"], []),
    ],
    "an angle by its name": [
        (
            "60^\\circ",
            [
                "\\angle ABC = 60^\\circ",
                "\\angle{ABC} = 60^{\\circ}",
                "m\\angle ABC = 60^\\circ",
                "\\measuredangle ABC = 60^\\circ",
                "∠ABC=60°",
            ],
            ["\\angle ABC = 61^\\circ"],
        ),
        ("\\angle ABC = 60^\\circ", ["60^\\circ", "60"], ["30^\\circ", "\\angle ABC"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
