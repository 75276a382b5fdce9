"""Angles in degrees and radians, and units that a reference lacks."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("5", ["5 cm", "5 apples"], []),
        (
            "45^\\circ",
            ["45", "\\pi/4", "45 degrees", "45°", "\\pi/4\\text{ radians}"],
            ["\\pi/3", "\\pi/3 rad", "45 rad"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
