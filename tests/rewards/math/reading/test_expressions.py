"""Signs, and factors side by side."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "one value, many notations": [
        ("5", ["+5"], ["-5", "6"]),
        ("-5", [], ["5"]),
    ],
    "letters, digits and signs that stand apart": [
        ("17", ["17"], ["1 7"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
