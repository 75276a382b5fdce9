"""Numbers, and the signs between their digits."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, verify


@pytest.mark.parametrize("answer", ["1.2{,}1", "0.5{,}25", "1,234.5{,}1"])
def test_a_second_decimal_sign_is_no_failure_of_ours(answer: str) -> None:
    verdict = verify(Request(domain="math", response=answer, reference="1.2", bare=True))
    assert verdict.outcome in (Outcome.WRONG, Outcome.UNPARSEABLE)
