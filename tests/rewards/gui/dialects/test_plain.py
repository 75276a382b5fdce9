"""Our own form: what counts for it without asking the other dialects."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.errors import AnswerError
from rewards.gui.actions import ALIASES
from rewards.gui.dialects.source import Source
from rewards.gui.dialects.table import _OURS_ALONE, DIALECTS


@given(
    st.sampled_from(sorted(ALIASES)),
    st.sampled_from(["point", "bbox"]),
    st.lists(st.integers(0, 2000) | st.floats(0, 1), max_size=5),
)
def test_what_is_taken_for_ours_alone_no_other_reads(
    name: str, key: str, numbers: list[float]
) -> None:
    text = json.dumps({"action": name, key: numbers})
    assert _OURS_ALONE.match(text)
    for dialect in DIALECTS.values():
        if dialect.name != "plain":
            with pytest.raises(AnswerError):
                dialect.read(Source(text))
