"""Letters, runs of letters, and letters that count."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "notations of counting, matrices, logarithms and unions": [
        ("{10 \\choose 3}", ["C_{10}^{3}"], ["C_3^{10}", "A_{10}^3"]),
        ("20", ["A_5^2", "5\\cdot4"], ["C_5^2"]),
    ],
    "letters, digits and signs that stand apart": [
        ("k", ["k"], ["K"]),
        ("e^{x+y}", ["e^xe^y"], ["e^xe^{2y}"]),
    ],
    "labels, texts and statements": [
        ("v_0+at", ["at+v_0"], ["v_0-at"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
