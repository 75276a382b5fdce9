"""A difficulty table and people's labels as the prior of a run: what is taken, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from curricula import Grades, write_grades
from rlcs.config import RunConfig, load_config
from rlcs.data import Problems, load_problems
from rlcs.errors import ConfigError
from rlcs.training.data import make_run_curriculum

LEVELS = {"p0": "very easy", "p1": 5, "p2": None, "p3": 3, "p4": "Hard"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five problems with levels; two models asked the first three and a foreign one."""
    rows = [
        {"id": name, "question": f"{name}?", "answer": "1", "level": level}
        for name, level in LEVELS.items()
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"path": str(tmp_path / "rows.jsonl"), "columns": {"id": "id"}}
    tree = {
        "run": {"groups_per_step": 2},
        "model": {"path": "none"},
        "data": {"train": [source], "difficulty": {"path": str(tmp_path / "d.parquet")}},
    }
    (tmp_path / "run.yaml").write_text(json.dumps(tree))
    grades = Grades(
        ids=["p0", "p1", "p2", "elsewhere"],
        models=["old", "new"],
        passes=np.array([[0.0, 4, 0, 8], [8, 8, 2, 8]]),
        attempts=np.array([[8.0, 8, 0, 8], [8, 8, 8, 8]]),
        errors=np.array([[0.0, 0, 8, 0], [0, 0, 0, 0]]),
        labels=["", "", "1", ""],
    )
    write_grades(grades, tmp_path / "d.parquet")
    return tmp_path


LABELLED = "data.train.0.columns.label=level"


def graded(folder: Path, *changes: str) -> tuple[RunConfig, Problems, list[str]]:
    config = load_config(folder / "run.yaml", changes, kind=RunConfig)
    loaded = load_problems(config)
    return config, loaded.train, loaded.notes


@pytest.mark.parametrize(
    ("changes", "rates", "reason"),
    [
        (
            [],
            {"p0": 1 / 2, "p1": 3 / 4, "p2": (2 + 4) / (8 + 4)},
            "all attempts, and the table's label 1 (pass rate 1) as 4 more",
        ),
        (["labels=ignore"], {"p0": 1 / 2, "p1": 3 / 4, "p2": 2 / 8}, "attempts alone"),
        (["labels=ignore", "merge=last"], {"p0": 1, "p1": 1, "p2": 2 / 8}, "the newest"),
        (
            ["labels=ignore", "merge=last", "models=[new, old]"],
            {"p0": 0, "p1": 1 / 2, "p2": 1 / 4},
            "the order is the config's",
        ),
        (["labels=ignore", "models=[old]"], {"p0": 0, "p1": 1 / 2}, "one model"),
        (
            ["labels=first", LABELLED],
            {"p0": 0.94, "p1": 0, "p2": 1, "p3": 1 / 2, "p4": 0.25},
            "a row's own label before the table's; p3 and p4 by label alone",
        ),
        (
            ["label_weight=16", LABELLED],
            {
                "p0": (8 + 16 * 0.94) / 32,
                "p1": (12 + 0) / 32,
                "p2": (2 + 16) / 24,
                "p3": 1 / 2,
                "p4": 0.25,
            },
            "16 attempts a label",
        ),
        (
            ["path=null", "labels=first", LABELLED],
            {"p0": 0.94, "p1": 0, "p3": 1 / 2, "p4": 0.25},
            "labels without a table",
        ),
        (
            ["path=null", "label_scale=[0, 10]", LABELLED],
            {"p0": 0.94, "p1": 1 / 2, "p3": 0.7, "p4": 0.25},
            "another scale",
        ),
        (
            ["labels=ignore", "models=[old]", "curriculum.kind=static"],
            {"p0": 0, "p1": 1 / 2},
            "a kind that cannot do without offline pass rates",
        ),
    ],
)
def test_pass_rates_by_hand(
    folder: Path, changes: list[str], rates: dict[str, float], reason: str
) -> None:
    inside = [
        change if change.startswith(("data.", "curriculum.")) else f"data.difficulty.{change}"
        for change in changes
    ]
    config, problems, _ = graded(folder, *inside)
    found = {
        problem.problem_id: problem.prior_pass_rate
        for problem in problems
        if problem.prior_pass_rate is not None
    }
    assert found == pytest.approx(rates), reason
    make_run_curriculum(config, problems, {})


def test_a_curriculum_starts_in_the_tiers_it_is_told(folder: Path) -> None:
    config, problems, _ = graded(folder, "data.difficulty.labels=ignore")
    curriculum = make_run_curriculum(config, problems, {})
    drawn = {draw.problem_id: draw.tier for draw in curriculum.draw(5, step=1)}
    told = {"p0": "medium", "p1": "easy", "p2": "hard"}  # 1/2, 3/4, 1/4
    assert {name: tier for name, tier in drawn.items() if name in told}.items() <= told.items()
    assert curriculum.metrics()["tier/hard"] == pytest.approx(1 / 5)
    assert curriculum.metrics()["tier/easy"] == pytest.approx(1 / 5)


def test_notes_count_what_was_left_out(folder: Path) -> None:
    _, _, notes = graded(folder)
    assert notes == [
        "difficulty: 3 of 5 training problems are graded by weighted of old, new and 1 labels "
        "(counts), mean pass rate 58.3%; the others start unknown.",
        f"difficulty: 1 of 4 problems in {folder}/d.parquet are not training problems of this run "
        "and are left out.",
    ]


def test_a_pass_rate_of_the_row_stays_where_the_table_says_nothing(folder: Path) -> None:
    rows = [
        {"id": name, "question": f"{name}?", "answer": "1", "rate": 0.125}
        for name in ("p0", "p1", "p2", "p3")
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    change = ["data.train.0.columns.pass_rate=rate", "data.difficulty.labels=ignore"]
    _, problems, _ = graded(folder, *change)
    assert [each.prior_pass_rate for each in problems] == [0.5, 0.75, 0.25, 0.125]


def test_without_the_section_nothing_changes(folder: Path) -> None:
    _, problems, notes = graded(folder, "data.difficulty=null")
    assert all(problem.prior_pass_rate is None for problem in problems)
    assert notes == []


def other_problems(folder: Path) -> None:
    write(folder, id=["x", "y"], passes=[1, 1], attempts=[2, 2])


def no_attempts(folder: Path) -> None:
    write(folder, id=["p0"], passes=[1])


def bad_counts(folder: Path) -> None:
    write(folder, id=["p0"], passes=[9], attempts=[8])


def no_table(folder: Path) -> None:
    (folder / "d.parquet").unlink()


def text_file(folder: Path) -> None:
    (folder / "d.parquet").write_text("id\n")


def apart(folder: Path) -> None:
    write(folder, id=["p0", "p1"], model=["old", "new"], passes=[1, 1], attempts=[2, 2])


def write(folder: Path, **columns: list[Any]) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "d.parquet")


def as_it_is(folder: Path) -> None:
    pass


MISTAKES: dict[str, tuple[Any, list[str], list[str]]] = {
    "a table of other problems": (
        other_problems,
        [],
        ["a table of this run's problems, found 2 others", "'x', 'y'", "'p0', 'p1', 'p2', ..."],
    ),
    "a column that is missing": (no_attempts, [], ["d.parquet", "missing: attempts"]),
    "counts that make no sense": (bad_counts, [], ["9.0 of 8.0 for 'p0'"]),
    "no table": (no_table, [], ["difficulty table (Parquet)", "found nothing there"]),
    "another kind of file": (text_file, [], ["found a file that is none"]),
    "a model that is not in it": (
        as_it_is,
        ["data.difficulty.models=[old, newest]"],
        ["models of the table ('old', 'new'), found 'newest'"],
    ),
    "a best model of nothing common": (
        apart,
        ["data.difficulty.merge=best"],
        ["problems that all 2 models were asked"],
    ),
    "labels off their scale": (
        as_it_is,
        [LABELLED, "data.difficulty.label_scale=[1, 4]"],
        ["1 problem in the labels", "p1: expected a label", "found '5'", "label_scale"],
    ),
    "labels that are not tiers": (
        as_it_is,
        [LABELLED, "curriculum={tiers: [a, b], boundaries: [0.5], tier_weights: [1, 1]}"],
        ["2 problems in the labels", "one of a, b or a number from 1", "'very easy'"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_in_words(folder: Path, mistake: str) -> None:
    arrange, changes, words = MISTAKES[mistake]
    arrange(folder)
    with pytest.raises(ConfigError) as caught:
        graded(folder, *changes)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["data.difficulty.path=null"], "expected path (a difficulty table) or a column of labels"),
        (
            ["data.difficulty.path=null", LABELLED, "data.difficulty.labels=ignore"],
            "where labels = ignore",
        ),
        (["data.difficulty=null", LABELLED], "nothing says how they count"),
        (["data.difficulty.merge=median"], "data.difficulty.merge: expected 'weighted', 'mean'"),
        (["data.difficulty.label_weight=0"], "a number above 0"),
        (["data.difficulty.label_scale=[1, 1]"], "two different ends"),
        (["data.difficulty.label_scale=[1]"], "data.difficulty.label_scale"),
        (["data.difficulty.paht=x"], "Did you mean path?"),
    ],
)
def test_a_section_that_makes_no_sense(folder: Path, changes: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        graded(folder, *changes)
    assert said in str(caught.value)
