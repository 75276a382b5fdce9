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
            "(3,7)",
            ["3<\\lvert AB\\rvert<7", "3<|PQ|<7", "7>|AB|>3"],
            ["3<|AB|\\le7", "3<|AB|<8", "3<|x|<7", "-7<|AB|<-3"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
