"""Ids, found by index and indices by id."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula import SettingsError
from curricula.knowledge.ids import IdTable


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, min_size=1, max_size=60))
def test_ids_are_found_again_and_foreign_ones_are_not(ids: list[str]) -> None:
    kept, foreign = ids[: len(ids) // 2 + 1], ids[len(ids) // 2 + 1 :]
    table, order = IdTable.build(kept)
    places = table.find(kept)
    assert [kept[place] for place in order] == table.texts(np.arange(len(kept)))
    assert table.texts(places) == kept
    assert sorted(places.tolist()) == list(range(len(kept)))
    assert table.find(foreign).tolist() == [-1] * len(foreign)


def test_ids_do_not_depend_on_the_order_given() -> None:
    ids = [f"problem/{i}" for i in range(5000)]
    (table, _), (reversed_table, _) = IdTable.build(ids), IdTable.build(ids[::-1])
    assert table.digest() == reversed_table.digest()
    assert table.texts(np.arange(5000)) == reversed_table.texts(np.arange(5000))
    assert table.digest() != IdTable.build(ids[:-1])[0].digest()


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (["a", "b", "a"], "more than once: 'a'"),
        (["a", ""], "1 empty"),
        (["x"] * 3, "found 1 of them more than once"),
        (["a", 7], "texts in Unicode .* int found"),
        (["a", "\ud800"], "surrogates not allowed"),
    ],
)
def test_bad_ids_are_refused(ids: list[str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        IdTable.build(ids)
