"""Folding, and edit distance beside the textbook's."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards.errors import AnswerError
from rewards.text.words import edit_distance, folded


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


def test_edit_distance_of_very_long_texts_is_bounded() -> None:
    long = "ab" * 1_000_000
    started = time.perf_counter()
    assert edit_distance(long, f"{long[:999]}c{long[1000:]}") == 1
    with pytest.raises(AnswerError, match="too long"):
        edit_distance(f"x{long}y", long)
    assert time.perf_counter() - started < 5.0  # without the bound it takes hours


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("Washington, D.C.", "washington dc", "full stops and commas of words"),
        ("“Yes!”", "yes", "quotation marks"),
        ("twenty-one", "Twenty one", "a hyphen is a space"),
        ("2010-2015", "2010 – 2015", "so is the dash of a range"),
        ("2010 -2015", "2010-2015", "however it is spaced"),
        ("1,000 km", "1000 km", "a comma between thousands"),
        ("−5", "-5", "minus signs of both kinds"),
        ("Ａ＋", "a+", "full-width forms"),
        ("No.5", "no5", "the stop of an abbreviation"),
    ],
)
def test_folding_makes_one_of(one: str, other: str, reason: str) -> None:
    assert folded(one) == folded(other), reason


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("1.5", "15", "a decimal point"),
        ("version 1.5", "version 15", "a decimal point in a label"),
        (".5", "5", "a decimal point in front"),
        ("1,5", "15", "a decimal comma"),
        ("10:30", "1030", "a time"),
        ("-5", "5", "a minus sign"),
        ("(-5)", "5", "a minus sign in brackets"),
        ("from -5 to 5", "from 5 to 5", "a minus sign in a label"),
        ("5%", "5", "a percent sign"),
    ],
)
def test_folding_keeps_apart(one: str, other: str, reason: str) -> None:
    assert folded(one) != folded(other), reason
