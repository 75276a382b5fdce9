"""Converting between units."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("5 m", ["500 cm", "5", "5\\text{ meters}", "0.005 km", "5米"], ["5 kg", "5 cm", "6 m"]),
        ("36 km/h", ["10 m/s", "36 kilometers per hour"], ["36 mph"]),
        ("100°C", ["212°F", "100"], ["100°F"]),
        ("5 dollars", ["500 cents", "\\$5", "$5.00"], ["5 euros"]),
        ("12 cm^2", ["12 square centimeters", "12"], ["12 cm"]),
        ("3千米", ["3000米"], ["300米"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
