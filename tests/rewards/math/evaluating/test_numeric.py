"""Complex numbers, and values that are zero to fifty digits."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "expressions by value, not by form": [
        ("3+4i", ["4i+3"], ["3-4i"]),
        ("0", ["\\sin\\pi"], ["10^{-30}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
