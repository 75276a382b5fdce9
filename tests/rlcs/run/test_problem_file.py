"""The problems in a run folder."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from rlcs.run.problem_file import PROBLEMS_NAME, write_problems
from rlcs.types import Image, Problem


def make_problem(name: str, **more: object) -> Problem:
    """A problem of one turn."""
    fields = {
        "problem_id": name,
        "domain": "math",
        "category": "sums",
        "messages": ({"role": "user", "content": "1 + 1?"},),
        "reference": "2",
        "question": "1 + 1?",
        **more,
    }
    return Problem(**fields)  # type: ignore[arg-type]


def test_problems_are_written_whole(tmp_path: Path) -> None:
    stored = Image(name="a.png", digest="d", width=3, height=2, stored=tmp_path / "a.png")
    bytes_of_a_row = Image(name="d", digest="d", width=3, height=2, stored=b"x")
    train = [
        make_problem("a", prior_pass_rate=0.25, images=(stored, bytes_of_a_row)),
        make_problem("b", reference={"bbox": [1, 2]}),
    ]
    write_problems(tmp_path, train=train, heldout=[make_problem("h")])
    rows = pq.read_table(tmp_path / PROBLEMS_NAME).to_pylist()
    assert [(row["problem_id"], row["split"]) for row in rows] == [
        ("a", "train"),
        ("b", "train"),
        ("h", "heldout"),
    ]
    assert rows[0]["prior_pass_rate"] == 0.25
    assert json.loads(rows[1]["reference"]) == {"bbox": [1, 2]}
    assert [image["file"] for image in json.loads(rows[0]["images"])] == [
        str(tmp_path / "a.png"),
        None,
    ]
    assert [path.name for path in tmp_path.iterdir()] == [PROBLEMS_NAME]


def test_a_run_without_problems_has_the_columns(tmp_path: Path) -> None:
    write_problems(tmp_path, train=[])
    assert pq.read_schema(tmp_path / PROBLEMS_NAME).names[0] == "problem_id"
