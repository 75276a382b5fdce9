"""Equations, labels, and claims such as x = 5."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "labels, texts and statements": [
        ("f^{-1}(x)=\\frac{x+2}{7}", ["\\frac{x+2}{7}"], ["\\frac{x-2}{7}"]),
        ("\\frac{\\partial f}{\\partial x}=2x", ["2x"], ["x"]),
    ],
    "x = 5 for 5; a false claim or a tautology is wrong": [
        ("6", ["x=6", "6=x", "x=y=6", "2+4=6", "Area = 6"], ["5=6", "6=6", "x=6=7", "x=x"]),
        ("x=5", ["5", "5=x"], ["y=5", "6"]),
        ("y=2x+1", ["2x-y+1=0", "2x+1", "4x-2y=-2"], ["y=2x-1", "y=x+1"]),
        ("f(x)=x^2", ["f(t)=t^2", "x^2", "y=x^2"], ["f(x)=x^3"]),
        ("(p,q)=(3,2)", ["(3,2)", "p=3, q=2"], ["(2,3)"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
