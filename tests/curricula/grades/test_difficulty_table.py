"""Difficulty tables, written and read."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from worlds import grades_of

from curricula import (
    DifficultyTable,
    TableError,
    read_difficulty_table,
    read_grades,
    write_difficulty_table,
    write_grades,
)


def test_tables_of_several_models_are_added_up(tmp_path: Path) -> None:
    columns = {
        "id": ["p1", "p2", "p1"],
        "model": ["a", "a", "b"],
        "passes": [1, 0, 5],
        "attempts": [8, 8, 8],
        "label": [None, "hard", "easy"],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    table = read_difficulty_table(tmp_path / "d.parquet")
    assert table.pass_rates == {"p1": 6 / 16, "p2": 0}
    assert list(table.labels) == ["easy", "hard"]


@pytest.mark.parametrize("missing", ["id", "passes", "attempts"])
def test_a_table_without_a_column_is_refused(missing: str, tmp_path: Path) -> None:
    columns = {"id": ["p1"], "passes": [1], "attempts": [8]}
    del columns[missing]
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    with pytest.raises(TableError, match=f"missing: {missing}"):
        read_difficulty_table(tmp_path / "d.parquet")


def test_grades_survive_a_table(tmp_path: Path) -> None:
    write_grades(grades_of(), tmp_path / "d.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "d.parquet")
    assert table.column_names == ["id", "model", "passes", "attempts", "errors", "label"]
    assert table.num_rows == 7  # `d` was asked by nobody, `c` by one
    again = read_grades(tmp_path / "d.parquet")
    assert again.ids == ["a", "b", "c"]
    assert again.models == ["old", "middle", "new"]
    assert again.labels == ["hard", "", ""]
    for name in ("passes", "attempts", "errors"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grades_of(), name)[:, :3])
    assert read_difficulty_table(tmp_path / "d.parquet").attempts.tolist() == [20, 24, 8]


def test_tiers_of_an_exported_table_are_not_taken_for_labels(tmp_path: Path) -> None:
    exported = DifficultyTable(
        ids=["a"], passes=np.array([1.0]), attempts=np.array([2.0]), labels=["medium"]
    )
    write_difficulty_table(exported, tmp_path / "d.parquet", model="policy")
    assert read_grades(tmp_path / "d.parquet").labels == [""]
    assert read_difficulty_table(tmp_path / "d.parquet").labels == ["medium"]


def test_a_table_made_by_hand(tmp_path: Path) -> None:
    """Numbers as ids and labels, no models, a pair that comes twice."""
    columns = {"id": [1, 2, 1], "passes": [1, 0, 2], "attempts": [4, 4, 4], "label": [3, None, 4]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    grades = read_grades(tmp_path / "d.parquet")
    assert (grades.ids, grades.models, grades.labels) == (["1", "2"], [""], ["4", ""])
    assert grades.passes.tolist() == [[3, 0]]
    assert grades.attempts.tolist() == [[8, 4]]


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="found nothing there"):
        read_grades(tmp_path / "no.parquet")
    with pytest.raises(TableError, match="found a folder"):
        read_grades(tmp_path)
    (tmp_path / "text.parquet").write_text("id,passes\n")
    with pytest.raises(TableError, match="found a file that is none"):
        read_grades(tmp_path / "text.parquet")
    for name, values, why in (
        ("passes", ["x"], "expected numbers in column passes"),
        ("passes", [5], "expected 0 <= passes <= attempts in every row, found 5.0 of 4.0 for 'a'"),
        ("id", [None], "expected a value in every row of column id"),
    ):
        columns = {"id": ["a"], "passes": [1], "attempts": [4], name: values}
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "bad.parquet")
        with pytest.raises(TableError, match=why):
            read_grades(tmp_path / "bad.parquet")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ids": ["a", "a", "c", "d"]}, "every id once"),
        ({"models": ["old", "old", "new"]}, "name of its own"),
        ({"labels": []}, "a label each"),
        ({"errors": np.zeros((1, 4))}, "counts of 3 models and 4 problems"),
    ],
)
def test_grades_that_contradict_themselves_are_refused(changed: Any, why: str) -> None:
    with pytest.raises(TableError, match=why):
        grades_of(**changed)
