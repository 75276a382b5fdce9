"""Units and counted nouns after a value, and letters that are none."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "letters, digits and signs that stand apart": [
        ("v_0t-\\frac12gt^2", ["v_0 t - 0.5 g t^2"], ["v_0 t - 0.5 g t"]),
    ],
    "Chinese units, alone and against letters": [
        ("5 米", ["5m", "500厘米"], ["5cm", "6m"]),
        ("5平方米", ["5m^2"], ["5m"]),
        ("5 米每秒", ["5 m/s", "18千米/时"], ["5 m"]),
        ("3小时", ["3h", "180分钟"], ["3s"]),
    ],
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("8个", ["8"], ["9个"]),
        ("5 apples", ["5", "5 red apples"], ["5 kg"]),
    ],
    "a unit behind a formula of another letter": [
        ("v=3t+2 \\text{ m/s}", ["3t+2", "3t+2 m/s"], ["3t", "3t+2 m"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
