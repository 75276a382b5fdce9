"""Edit distance, beside the textbook's."""

from __future__ import annotations

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards.text.words import edit_distance


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(one=st.text(string.ascii_lowercase[:4], max_size=12), other=st.text("abcd", max_size=12))
def test_edit_distance_agrees_with_the_textbook(one: str, other: str) -> None:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(previous + (a != b), row[j] + 1, row[j - 1] + 1)
    assert edit_distance(one, other) == row[-1]
