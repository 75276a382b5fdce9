"""Sets by name, and half lines."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "letters, digits and signs that stand apart": [
        ("(0,\\infty)", ["\\mathbb{R}^+", "\\mathbb{R}^{+}"], ["\\mathbb{R}^-", "\\mathbb{R}"]),
    ],
    "parts of the sets of numbers": [
        (
            "\\mathbb{N}_0",
            ["ℕ₀", "\\mathbb{Z}_{\\ge 0}", "n \\in \\mathbb{N}_0"],
            ["\\mathbb{N}^+", "\\mathbb{Z}", "\\mathbb{R}"],
        ),
        (
            "\\mathbb{Z}^+",
            ["\\mathbb{N}^*", "\\mathbb{Z}_{>0}", "\\mathbb{N}_+"],
            ["\\mathbb{Z}", "\\mathbb{N}_0", "\\mathbb{Z}^-"],
        ),
        (
            "\\mathbb{R}^+",
            ["(0,\\infty)", "x>0", "\\mathbb{R}_{>0}"],
            ["[0,\\infty)", "\\mathbb{R}"],
        ),
        ("\\mathbb{R}_{\\ge0}", ["[0,\\infty)"], ["(0,\\infty)"]),
        ("\\mathbb{R}^*", ["x\\ne0", "\\mathbb{R}-\\{0\\}"], ["\\mathbb{R}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
