"""Expressions by value: exact ones, fifty digits at points, six digits for a tolerance."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "exact references want exact answers, six digits earn a tolerance": [
        ("2\\sqrt{2}", ["\\sqrt8", "2.828427"], ["2.83", "2.828"]),
        ("\\pi", ["3.14159", "π"], ["3.14", "3.1416", "22/7"]),
        ("1/2^{99}", ["2^{-99}"], ["1/2^{98}"]),
        ("1-1/e", ["\\frac{e-1}{e}"], ["1+1/e"]),
        ("2^{100}", ["1267650600228229401496703205376"], ["1267650600228229401496703205377"]),
    ],
    "notations of counting, matrices, logarithms and unions": [
        ("\\log 100", ["2", "\\ln 100"], ["3"]),
    ],
    "letters under roots and logarithms of products are positive": [
        ("\\ln(xy)", ["\\ln x+\\ln y"], ["\\ln x\\ln y"]),
        ("\\sqrt{ab}", ["\\sqrt a\\sqrt b"], ["\\sqrt a+\\sqrt b"]),
        ("\\sqrt{x^2}", ["|x|"], ["x"]),
    ],
    "ratios, congruences, general solutions, bound names": [
        ("\\sum_{k=1}^n k", ["\\sum_{i=1}^n i"], ["\\sum_{k=1}^n k^2"]),
        ("(-1)^n", ["\\cos(n\\pi)"], ["1"]),
    ],
    "expressions by value, not by form": [
        ("x^2+2x+1", ["(x+1)^2", "1+2x+x**2"], ["x^2+1"]),
        ("\\cos 2x", ["1-2\\sin^2x", "\\cos^2x-\\sin^2x"], ["2\\cos x"]),
        ("\\ln 6", ["\\ln2+\\ln3"], ["\\ln 5"]),
        ("\\ln|x|", ["\\ln|x|"], ["\\ln x"]),
    ],
    "hedges, descriptions and code are wrong": [
        ("9^{9^{9^9}}", ["9^{9^{9^9}}"], ["9^{9^{9^9}}+1", "9^{9^{9^8}}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
