"""Declarations of integer parameters, taken off an answer."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "ratios, congruences, general solutions, bound names": [
        (
            "x = \\frac{\\pi}{4}+k\\pi, k\\in\\mathbb{Z}",
            ["\\frac{5\\pi}{4}+n\\pi, n \\in \\mathbb{Z}", "\\frac{\\pi}{4}+n\\pi (n为整数)"],
            ["x=\\pi/4+2k\\pi, k\\in\\mathbb{Z}", "\\pi/4"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
