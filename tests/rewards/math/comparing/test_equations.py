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
    "lengths and ratios by their names": [
        ("1", ["|AB|=1", "\\lvert AB\\rvert=1", "\\|AB\\| = 1"], ["|AB|=2"]),
        ("|AB|=1", ["1", "AB=1", "\\lvert AB\\rvert = 1"], ["2", "|AB|=2", "|CD|=1"]),
        (
            "NO/BO = 1/\\sqrt{6}",
            ["1/\\sqrt6", "\\frac{\\sqrt6}{6}", "\\frac{NO}{BO}=\\frac{1}{\\sqrt{6}}"],
            ["\\sqrt6", "BO/NO=1/\\sqrt6"],
        ),
        ("\\frac{AB}{CD}=\\frac{1}{2}", ["1/2", "1:2", "AB:CD=1:2"], ["2", "2:1", "CD:AB=1:2"]),
        ("|x|=3", [], ["x=3", "3"]),
    ],
    "relations without letters": [
        (
            "\\tan\\frac{1}{5}\\pi<\\tan\\frac{2}{5}\\pi",
            ["\\tan\\frac{2}{5}\\pi>\\tan\\frac{\\pi}{5}"],
            [
                "\\tan\\frac{1}{5}\\pi>\\tan\\frac{2}{5}\\pi",
                "\\tan\\frac{1}{5}\\pi\\le\\tan\\frac{2}{5}\\pi",
            ],
        ),
        ("\\sin\\frac{2}{3}\\pi=\\frac{\\sqrt3}{2}", ["\\sqrt3/2"], ["1/2"]),
    ],
    "a value has its own name": [
        ("f(x)=1", ["y=1", "1"], ["x=1"]),
        ("f(x)=x^2", [], ["xy=yx", "\\forall x,y\\in\\mathbb{R}, xy=yx"]),
        ("P(A)=\\frac{1}{2}", ["1/2"], ["P(B)=\\frac12"]),
        ("PV=nRT", ["nRT=PV"], ["PV=nR"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
