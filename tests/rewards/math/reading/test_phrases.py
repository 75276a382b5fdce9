"""Words that mean a number or a set."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("5", ["five"], []),
        ("\\infty", ["infinity", "+\\infty", "∞"], ["-\\infty", "8"]),
    ],
    "relations and intervals match both ways": [
        ("\\emptyset", ["no solution", "\\{\\}", "无解", "空集"], ["0"]),
    ],
    "text": [
        ("DNE", ["does not exist", "undefined"], ["0"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
