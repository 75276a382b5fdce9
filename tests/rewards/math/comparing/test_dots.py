"""Sums with dots."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "the same terms in either order": [
        (
            "1+2+\\cdots+n",
            ["n+\\cdots+2+1", "1+2+...+n", "n+(n-1)+\\cdots+1"],
            ["1+2+\\cdots+(n+1)", "1+3+\\cdots+n", "n"],
        ),
        (
            "x^n+x^{n-1}+\\cdots+x+1",
            ["1+x+\\cdots+x^{n-1}+x^n", "1+x+\\cdots+x^n"],
            ["1+x+\\cdots+x^n+x^{n+1}", "1+x^2+\\cdots+x^n"],
        ),
        ("1+2+3+...+100", ["100+99+...+1", "1+2+...+100"], ["1+3+...+100", "1+2+...+101", "100"]),
        ("a_1+a_2+\\cdots+a_n", ["a_n+\\cdots+a_2+a_1"], ["a_1+a_2+\\cdots+a_{n+1}"]),
    ],
    "a sum with dots is no value": [
        ("5050", [], ["1+2+\\cdots+100"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
