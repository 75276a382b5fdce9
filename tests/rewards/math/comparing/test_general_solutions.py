"""General solutions with an integer parameter."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "general solutions: the parameter's name is free, declared or not": [
        (
            "\\frac{\\pi}{4}+k\\pi",
            ["\\frac{\\pi}{4}+n\\pi", "\\frac{5\\pi}{4}+m\\pi"],
            ["\\pi/4+2n\\pi"],
        ),
        ("45^\\circ+180^\\circ k", ["45^\\circ+180^\\circ n"], ["45^\\circ+90^\\circ n"]),
        ("(n-2)\\pi", ["n\\pi-2\\pi"], ["n\\pi", "(n-1)\\pi"]),
        ("\\{x|x=k\\pi,k\\in Z\\}", ["x=n\\pi, n\\in\\mathbb{Z}"], ["x=2n\\pi,n\\in Z"]),
        (
            "[k\\pi-\\frac{\\pi}{3},k\\pi+\\frac{\\pi}{6}],k\\in\\mathbb{Z}",
            ["n\\pi-\\frac{\\pi}{3}\\le x\\le n\\pi+\\frac{\\pi}{6}, n\\in Z"],
            ["(n\\pi-\\frac{\\pi}{3},n\\pi+\\frac{\\pi}{6}), n\\in Z", "[0,\\frac{\\pi}{6}]"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
