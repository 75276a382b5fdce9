"""Difficulty tables of several models and people's labels, merged into one pass rate by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import grades_of

from curricula import Grades, SettingsError, TableError, label_pass_rate, merge_grades, with_labels

TIERS = ("very_easy", "easy", "medium", "hard", "very_hard")


BOUNDARIES = (0.88, 0.62, 0.38, 0.12)


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
