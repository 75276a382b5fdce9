"""Functions and roots with their arguments."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("\\sqrt{2}", ["2^{0.5}", "√2", "\\frac{2}{\\sqrt 2}"], ["1.41", "2"]),
    ],
    "notations of counting, matrices, logarithms and unions": [
        ("\\frac{\\sqrt3}{2}", ["\\sin(60^\\circ)", "\\cos{30^\\circ}"], ["\\sin(60)"]),
    ],
    "binomials of every size": [
        ("\\dbinom{10}{3}", ["\\tbinom{10}{3}", "120", "\\binom{10}{3}"], ["\\dbinom{10}{4}"]),
    ],
    "a factor after the fraction belongs to the argument": [
        (
            "x=\\tan\\frac{7}{5}\\pi",
            ["\\tan\\frac{7\\pi}{5}", "x=\\tan\\frac{2\\pi}{5}"],
            ["\\tan(\\frac75)\\pi", "\\tan\\frac{3\\pi}{5}"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
