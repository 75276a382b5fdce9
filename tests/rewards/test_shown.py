"""What a model writes is shown on a terminal; it never controls it."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.shown import shown, shown_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\x1b[31mred", "\\u001b[31mred", id="a colour"),
        pytest.param("\x1b]0;title\x07", "\\u001b]0;title\\u0007", id="the window's title"),
        pytest.param("right\rwrong", "right\\rwrong", id="overwriting the line"),
        pytest.param("a\x08b", "a\\bb", id="backspace"),
        pytest.param("\x9b31m", "\\u009b31m", id="C1: an escape sequence of one byte"),
        pytest.param("\x7f", "\\u007f", id="delete"),
        pytest.param("\u202egnp.exe", "\\u202egnp.exe", id="bidirectional override"),
        pytest.param("\u2066x\u2069", "\\u2066x\\u2069", id="bidirectional isolate"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero width"),
        pytest.param("a\u2028b", "a\\u2028b", id="line separator"),
        pytest.param("\ud83d", "\\ud83d", id="half of a surrogate pair, which UTF-8 has not"),
        pytest.param("\U000e0041", "\\udb40\\udc41", id="a tag beyond the first plane"),
        pytest.param("答え\u3000是 é 😀 √", "答え\u3000是 é 😀 √", id="signs stay"),
        pytest.param("a\tb\nc", "a\tb\nc", id="tabs and line ends stay"),
    ],
)
def test_controls_are_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_line_stays_one() -> None:
    assert shown_line("a\nb\tc\r\n") == "a\\nb\\tc\\r\\n"


@given(st.text(st.characters(codec=None)))
def test_nothing_that_controls_is_left(text: str) -> None:
    for sign in shown_line(text):
        assert unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@given(st.dictionaries(st.text(), st.text(st.characters(codec=None))))
def test_a_line_of_json_stays_the_same_json(row: dict[str, str]) -> None:
    line = shown(json.dumps(row, ensure_ascii=False))
    assert json.loads(line) == row
