"""Sets by name, and half lines."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "letters, digits and signs that stand apart": [
        ("(0,\\infty)", ["\\mathbb{R}^+", "\\mathbb{R}^{+}"], ["\\mathbb{R}^-", "\\mathbb{R}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
