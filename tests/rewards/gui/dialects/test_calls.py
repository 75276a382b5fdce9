"""The grammar of calls: literals and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.errors import AnswerError
from rewards.gui.dialects.calls import read_call, unescaped, write_call


@pytest.mark.parametrize(
    ("text", "name", "positional", "keywords"),
    [
        pytest.param("f()", "f", [], {}, id="nothing"),
        pytest.param("a.b.f(1)", "a.b.f", [1], {}, id="a dotted name"),
        pytest.param("f( 1 , -2.5 )", "f", [1, -2.5], {}, id="numbers"),
        pytest.param("f(x=1e3, y=.5)", "f", [], {"x": 1000.0, "y": 0.5}, id="decimals"),
        pytest.param("f('a', \"b\")", "f", ["a", "b"], {}, id="both quotes"),
        pytest.param("f(x=[1, (2, 3,)])", "f", [], {"x": [1, (2, 3)]}, id="lists in lists"),
        pytest.param("f(True, false, None)", "f", [True, False, None], {}, id="constants"),
        pytest.param(r"f('it\'s\n\u00e9\x41\\')", "f", ["it's\néA\\"], {}, id="escapes"),
        pytest.param("f('a\nb')", "f", ["a\nb"], {}, id="a line break in a text"),
        pytest.param("f('a=b, c)')", "f", ["a=b, c)"], {}, id="marks in a text"),
        pytest.param(r"f('\d \ud83d')", "f", [r"\d \ud83d"], {}, id="other escapes stay"),
    ],
)
def test_what_is_read(text: str, name: str, positional: Any, keywords: Any) -> None:
    call = read_call(text)
    assert (call.name, list(call.positional), dict(call.keywords)) == (name, positional, keywords)


@pytest.mark.parametrize(
    "text",
    [
        "", "f", "f(", "f)", ")", "(1)", "1(2)", "f(1))", "f(1)(2)", "f(1) g()", "f(1);g()",
        "f(1 2)", "f(,)", "f(1,,2)", "f(x=)", "f(=1)", "f(x=1, x=2)", "f(x=1, 2)", "f(y)",
        "f(g())", "f(1+2)", "f(x=y)", "f(*a)", "f(**a)", "f([1)", "f([1,)", "f('a)", "f('a' 'b')",
        "f({'a': 1})", "f(1j)", "f(0x10)", "f(1_0)", "f(1e999)", "f(-inf)", "f(b'a')", "f(f'{x}')",
        "f(lambda: 1)", "f(__import__('os').getcwd())", "f([" + "[" * 30 + "]" * 30 + "])",
        "f('" + "a" * 30_000 + "')", "é(1)", "f(\x00)", "f[1](2)", "f(1)#)",
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(AnswerError):
        read_call(text)


VALUES = st.one_of(st.text(max_size=30), st.integers(-(10**9), 10**9), st.booleans())


@given(st.dictionaries(st.sampled_from("abcxyz"), VALUES | st.lists(VALUES, max_size=3)))
def test_what_is_written_is_read_back(keywords: dict[str, Any]) -> None:
    call = read_call(write_call("name", keywords))
    assert call.keywords == keywords
    assert not call.positional


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(AnswerError):
        read_call(text)
    unescaped(text)
