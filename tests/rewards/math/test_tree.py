"""What walks a tree costs in proportion to its size."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, VerifierPool


@pytest.mark.parametrize("operator", ["\\sum_{k=1}^{2} ", "\\frac{d}{dx} ", "\\lim_{x \\to 0} "])
def test_operators_within_operators_are_soon_judged(operator: str) -> None:
    nested = Request(domain="math", response=operator * 60 + "x", reference="\\int x dx", bare=True)
    with VerifierPool(1, deadline_seconds=10.0) as pool:  # not about time: the machine is shared
        (verdict,) = pool.judge([nested])
    assert verdict.outcome is Outcome.WRONG
