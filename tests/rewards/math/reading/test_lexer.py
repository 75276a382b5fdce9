"""Numbers, and the signs between their digits."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

from rewards import Outcome, Request, verify

CASES: Cases = {
    "one value, many notations": [
        ("1/2", ["0.5"], ["0.05"]),
        ("5", ["5.0", "5.", "\\boxed{5}"], []),
        ("-5", ["\\text{-5}"], []),
        ("1/3", ["0.\\overline{3}", "0.(3)", "0.\\dot{3}", "0.333..."], ["0.3", "0.33"]),
        ("1/7", ["0.142857142857...", "0.\\overline{142857}"], ["0.142"]),
        ("1500", ["1.5\\times10^3", "1.5e3", "1.5E+03", "1,500", "1 500"], ["15,00", "1.5"]),
        ("1234567", ["1,234,567", "1{,}234{,}567"], ["12,34,567", "1234568"]),
        ("1234", ["1,234", "1 234"], ["1,2,3,4", "1.234", "12,34"]),
        ("1.5", ["1,5", "1{,}5"], ["15"]),
        ("1234.5", ["1.234,5", "1,234.5"], []),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


@pytest.mark.parametrize("answer", ["1.2{,}1", "0.5{,}25", "1,234.5{,}1"])
def test_a_second_decimal_sign_is_no_failure_of_ours(answer: str) -> None:
    verdict = verify(Request(domain="math", response=answer, reference="1.2", bare=True))
    assert verdict.outcome in (Outcome.WRONG, Outcome.UNPARSEABLE)
