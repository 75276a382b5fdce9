"""Difficulty tables of several models and people's labels, merged into one pass rate by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curricula import (
    DifficultyTable,
    Grades,
    SettingsError,
    TableError,
    label_pass_rate,
    merge_grades,
    read_difficulty_table,
    read_grades,
    with_labels,
    write_difficulty_table,
    write_grades,
)

TIERS = ("very_easy", "easy", "medium", "hard", "very_hard")
BOUNDARIES = (0.88, 0.62, 0.38, 0.12)


def grades_of(**changed: Any) -> Grades:
    """Three models, four problems; `c` was asked by the first alone, `d` by nobody.

    Rates over the problems that all were asked, `a` and `b`: old .25, middle .75, new .5.
    """
    fields: dict[str, Any] = {
        "ids": ["a", "b", "c", "d"],
        "models": ["old", "middle", "new"],
        "passes": np.array([[0.0, 4, 6, 0], [4, 8, 0, 0], [4, 2, 0, 0]]),
        "attempts": np.array([[8.0, 8, 8, 0], [8, 8, 0, 0], [4, 8, 0, 0]]),
        "errors": np.array([[0.0, 0, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]]),
        "labels": ["hard", "", "", "2"],
    }
    return Grades(**{**fields, **changed})


@pytest.mark.parametrize(
    ("rule", "models", "rates", "attempts", "reason"),
    [
        (
            "weighted",
            (),
            {"a": 8 / 20, "b": 14 / 24, "c": 6 / 8},
            [20, 24, 8, 0],
            "the four attempts of `new` at `a` that we failed to judge count for nothing",
        ),
        (
            "mean",
            (),
            {"a": (0 + 1 / 2 + 1) / 3, "b": (1 / 2 + 1 + 1 / 4) / 3, "c": 6 / 8},
            [20, 24, 8, 0],
            "`new` counts as much with 4 attempts as the others with 8",
        ),
        ("last", (), {"a": 1, "b": 1 / 4, "c": 6 / 8}, [4, 8, 8, 0], "`c`: only `old` was asked"),
        ("best", (), {"a": 1 / 2, "b": 1, "c": 6 / 8}, [8, 8, 8, 0], "`middle` has the mean .75"),
        ("last", ("new", "old"), {"a": 0, "b": 1 / 2, "c": 6 / 8}, [8, 8, 8, 0], "order is given"),
        ("best", ("old", "new"), {"a": 1, "b": 1 / 4, "c": 6 / 8}, [4, 8, 8, 0], "new .625"),
        ("weighted", ("new",), {"a": 1, "b": 1 / 4}, [4, 8, 0, 0], "one of them"),
    ],
)
def test_merge_rules(
    rule: Any, models: tuple[str, ...], rates: dict[str, float], attempts: list[int], reason: str
) -> None:
    merged = merge_grades(grades_of(), rule, models=models)
    assert merged.pass_rates == pytest.approx(rates), reason
    assert merged.attempts.tolist() == attempts, reason


def test_a_best_model_needs_common_problems() -> None:
    apart = grades_of(
        attempts=np.array([[8.0, 0, 8, 0], [0, 8, 0, 0], [4, 8, 0, 0]]), passes=np.zeros((3, 4))
    )
    with pytest.raises(TableError, match="problems that all 3 models were asked"):
        merge_grades(apart, "best")
    assert merge_grades(apart, "last").attempts.tolist() == [4, 8, 8, 0]


@pytest.mark.parametrize(
    ("models", "why"),
    [(("old", "newest"), "models of the table .*found 'newest'"), (("old", "old"), "model once")],
)
def test_models_that_are_not_there_are_refused(models: tuple[str, ...], why: str) -> None:
    with pytest.raises(TableError, match=why):
        merge_grades(grades_of(), "mean", models=models)


@pytest.mark.parametrize(
    ("label", "scale", "rate", "reason"),
    [
        ("very_easy", (1, 5), 0.94, "centre of 1 and .88"),
        ("Very easy", (1, 5), 0.94, "as people write it"),
        (" VERY-HARD ", (1, 5), 0.06, "centre of .12 and 0"),
        ("medium", (1, 5), 0.5, "centre of .62 and .38"),
        ("1", (1, 5), 1.0, "the easiest number of the scale"),
        ("5", (1, 5), 0.0, "the hardest"),
        ("2.0", (1, 5), 0.75, "a whole number that became a float on the way"),
        ("0.3", (1, 0), 0.3, "a scale of pass rates: 1 is the easiest"),
        ("7", (10, 0), 0.7, "falling"),
    ],
)
def test_labels_as_pass_rates(
    label: str, scale: tuple[float, float], rate: float, reason: str
) -> None:
    found = label_pass_rate(label, tiers=TIERS, boundaries=BOUNDARIES, scale=scale)
    assert found == pytest.approx(rate), reason


@pytest.mark.parametrize("label", ["tough", "6", "0.9", "nan", "inf", "-1", ""])
def test_labels_that_say_nothing_are_refused(label: str) -> None:
    with pytest.raises(TableError, match=r"very_easy.*1 \(easiest\) to 5 \(hardest\)"):
        label_pass_rate(label, tiers=TIERS, boundaries=BOUNDARIES, scale=(1, 5))


def test_a_scale_has_two_ends() -> None:
    with pytest.raises(SettingsError, match="two different ends"):
        label_pass_rate("1", tiers=TIERS, boundaries=BOUNDARIES, scale=(1, 1))


@pytest.mark.parametrize(
    ("rule", "rates", "reason"),
    [
        ("first", {"a": 0.25, "b": 14 / 24, "c": 6 / 8, "e": 0.5}, "the label alone; new ones too"),
        (
            "counts",
            {"a": (8 + 5 * 0.25) / (20 + 5), "b": 14 / 24, "c": 6 / 8, "e": 0.5},
            "5 attempts at .25 beside 8 of 20",
        ),
    ],
)
def test_labels_beside_attempts(rule: Any, rates: dict[str, float], reason: str) -> None:
    merged = merge_grades(grades_of(), "weighted")
    labelled = with_labels(merged, {"a": 0.25, "e": 0.5}, rule, weight=5)
    assert labelled.pass_rates == pytest.approx(rates), reason
    assert labelled.attempts[-1] == 5
    with pytest.raises(SettingsError, match="label weight above 0"):
        with_labels(merged, {"a": 0.25}, rule, weight=0)


@given(
    counts=st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    ),
    rule=st.sampled_from(["weighted", "mean", "last"]),
)
def test_a_merged_rate_lies_between_the_models(
    counts: list[list[tuple[int, int]]], rule: Any
) -> None:
    passes = np.array([[min(pair) for pair in row] for row in counts], dtype=np.float64)
    attempts = np.array([[max(pair) for pair in row] for row in counts], dtype=np.float64)
    grades = Grades(
        ids=["a", "b", "c"],
        models=[str(row) for row in range(len(counts))],
        passes=passes,
        attempts=attempts,
        errors=np.zeros_like(passes),
        labels=[""] * 3,
    )
    merged = merge_grades(grades, rule)
    asked = attempts.sum(0) > 0
    assert set(merged.pass_rates) == {
        name for name, known in zip("abc", asked, strict=True) if known
    }
    for column in np.flatnonzero(asked):
        rows = attempts[:, column] > 0
        rates = passes[rows, column] / attempts[rows, column]
        found = merged.pass_rates["abc"[column]]
        assert rates.min() - 1e-12 <= found <= rates.max() + 1e-12


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
