"""Constants of integration."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "integrals: an antiderivative with its constant, however it is written": [
        ("\\int x\\,dx", ["\\frac{x^2}{2}+C", "\\int x\\,dx = \\frac{x^2+1}{2}+C"], ["x^2/3+C"]),
        ("\\int 2x dx", ["x^2+K"], ["x^2", "x^2+2x+C"]),
        ("\\int \\frac{dx}{1+x^2}", ["\\arctan x+C", "C-\\operatorname{arccot} x"], ["\\tan x+C"]),
        ("\\int \\frac{1}{x}\\,dx", ["\\ln|x|+C", "\\ln|3x|+C"], ["-x^{-2}+C"]),
        ("\\frac{x^2}{2}+C", ["\\int x\\,dx=\\frac{x^2}{2}+C"], ["\\int x\\,dx", "x^2/2"]),
        ("y=C_1e^x+C_2e^{-x}", ["y=Ae^x+Be^{-x}", "y=C_1e^{-x}+C_2e^x"], ["y=C_1e^x"]),
        ("y=Ce^{2x}", ["y=Ke^{2x}"], ["y=Ce^{-2x}", "y=Cxe^{2x}"]),
        ("A+2B", ["2B+A"], ["B+2A"]),
    ],
    "letters under roots and logarithms of products are positive": [
        ("\\ln|x|+C", ["C+\\ln|2x|"], ["\\ln x+C"]),
    ],
    "ratios, congruences, general solutions, bound names": [
        ("\\ln|x|+C", ["\\ln|2x|+c"], ["\\ln|x|", "2\\ln|x|+C"]),
    ],
}

# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("a constant of integration", "Find $\\int 2x dx$.", "x^2", "x^2+C", True),
]


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
