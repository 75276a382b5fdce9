"""Numbers in English words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rewards.text import english


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("first", 1),
        ("second", 2),
        ("third", 3),
        ("fourth", 4),
        ("fifth", 5),
        ("eighth", 8),
        ("ninth", 9),
        ("twelfth", 12),
        ("twentieth", 20),
        ("twenty-first", 21),
        ("one hundred and third", 103),
        ("two thousandth", 2000),
    ],
)
def test_an_ordinal_is_its_number(text: str, value: int) -> None:
    assert english.ordinal(text) == Fraction(value)


@pytest.mark.parametrize("text", ["", "one", "th", "month", "both", "worth", "thirds", "firsth"])
def test_other_words_are_no_ordinals(text: str) -> None:
    assert english.ordinal(text) is None
