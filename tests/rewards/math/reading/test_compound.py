"""Quantities in two or three units."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("2 hours 30 minutes", ["2.5 hours", "150 min"], ["2.3 hours"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
