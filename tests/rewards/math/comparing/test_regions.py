"""Conditions on a value against intervals."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "a chain about f(x), a length or an angle is an interval": [
        (
            "(0,1)",
            ["0<f(x)<1", "0<y<1", "1>f(x)>0", "f(x) \\in (0,1)"],
            ["0\\le f(x)<1", "0<f(x)\\le1", "0<f(x)<2", "0<f(x)<g(x)<1"],
        ),
        ("[0,1]", ["0\\le f(x)\\le 1", "0 \\leq f(x), f(x) \\leq 1"], ["0<f(x)<1"]),
        ("0<f(x)<1", ["(0,1)", "0<f(t)<1", "0<y<1"], ["[0,1]", "0<x<1", "0<g(x)<1"]),
        ("f(x)\\ge 2", ["[2,\\infty)"], ["(2,\\infty)", "f(x)\\le 2", "x\\ge2"]),
        ("(-1,1)", ["|f(x)|<1"], ["|f(x)|\\le1"]),
        ("2 < AB < 8", ["(2,8)", "2<AB<8", "2<|AB|<8"], ["2<AB\\le8", "2<CD<8", "2<|CD|<8"]),
        (
            "(30,90)",
            ["30<\\angle BAC<90", "90>\\angle A>30"],
            ["30\\le\\angle BAC<90", "30<\\angle BAC", "30<\\angle BAC<\\angle B<90"],
        ),
        (
            "(3,7)",
            ["3<\\lvert AB\\rvert<7", "3<|PQ|<7", "7>|AB|>3"],
            ["3<|AB|\\le7", "3<|AB|<8", "3<|x|<7", "-7<|AB|<-3"],
        ),
    ],
    "bounds may have units, which are converted or taken for granted": [
        (
            "(30^\\circ, 90^\\circ)",
            [
                "30^{\\circ} < \\angle BAC < 90^{\\circ}",
                "30^\\circ<\\theta<90^\\circ",
                "30<\\theta<90",
                "\\frac{\\pi}{6}<\\theta<\\frac{\\pi}{2}",
            ],
            [
                "30^\\circ\\le\\theta<90^\\circ",
                "30^\\circ<\\theta<91^\\circ",
                "\\frac{\\pi}{6}<\\theta<\\pi",
                "m\\angle BAC>30^\\circ",
            ],
        ),
        (
            "(0,\\pi/2)",
            ["0^\\circ<\\theta<90^\\circ", "0<\\theta<90^\\circ"],
            ["0^\\circ<\\theta<180^\\circ"],
        ),
        (
            "[2 cm, 3 cm]",
            ["2 cm \\le BC \\le 3 cm", "20 mm \\le x \\le 30 mm", "2 \\le BC \\le 3"],
            ["2 cm \\le BC \\le 3 m", "2 m \\le BC \\le 3 m", "2 s \\le t \\le 3 s"],
        ),
        (
            "x > 5 \\text{ m}",
            ["x > 500 \\text{ cm}", "(5 m, \\infty)"],
            ["(5 s, \\infty)", "x > 5 cm"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
