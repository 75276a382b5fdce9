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
    "what is said of letters is taken off, in references too": [
        (
            "f(x)=1",
            [
                "f(x)=1 \\text{ for all } x \\in \\mathbb{Q}",
                "f(x)=1 \\text{ for all } x",
                "f(x) = 1 for all real x",
                "f(x)=1, \\forall x",
                "$f(x)=1$ for all $x \\in \\mathbb{R}$",
            ],
            ["f(x)=2 \\text{ for all } x", "\\text{for all } x"],
        ),
        (
            "f(x)=1 \\text{ for all } x \\in \\mathbb{Q}",
            ["f(x)=1", "1", "f(x)=1 for all rational x", "f(t)=1 for all t \\in \\mathbb{Q}"],
            ["f(x)=0", "f(x)=1 \\text{ for all } x \\in \\mathbb{Z}"],
        ),
        (
            "5t+2 for some integer t",
            ["5k+2, k\\in\\mathbb Z", "5t-3 for some integer t"],
            ["5t+1 for some integer t"],
        ),
        ("x^2+1 \\text{ for all } x", ["x^2+1"], ["x^2"]),
        (
            "f(n)=n \\text{ for all positive integers } n",
            ["f(n)=n", "n", "f(n) = n for all n \\in \\mathbb{N}"],
            ["f(n)=n+1"],
        ),
        ("f(x)=0 \\text{ for all } x \\text{ and } f(x)=x", ["f(x)=0, f(x)=x"], ["f(x)=0"]),
    ],
    "a rider hides no hedge": [
        (
            "7",
            ["7 for all x"],
            [
                "7 for all x or 8",
                "7 or 8 for all x",
                "7, where 8",
                "for all x",
                "7 for x=8",
                "7 \\text{ where } 7=8",
            ],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
