"""The log of a run, read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from curricula import Fate, TableError
from curricula.study.run_log import read_log


def row_of(step: int, name: str, **other: object) -> dict[str, object]:
    usual = {"step": step, "problem_id": name, "domain": "d", "category": "c", "passes": 1}
    rest = {"attempts": 4, "errors": 0, "draw_probability": 0.5, "fate": "trained"}
    return {**usual, **rest, **other}


def write(path: Path, rows: list[dict[str, object]], end: str = "\n") -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + end)
    return path


def test_carried_groups_count_once_and_a_torn_line_not_at_all(tmp_path: Path) -> None:
    carried = row_of(1, "b", fate=str(Fate.CARRIED))
    rows = [row_of(1, "a"), carried, row_of(2, "b"), row_of(2, "c"), row_of(3, "b")]
    log = read_log(write(tmp_path / "groups.jsonl", rows, end='\n{"step": 3, "pro'))
    names = [[group.result.problem_id for group in step] for step in log.steps]
    assert names == [["a", "b"], ["c"], ["b"]]
    assert log.num_carried == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row.pop("fate"), "line 2, found KeyError\\('fate'\\)"),
        (lambda row: row.update(passes=-1), "0 <= passes <= attempts .* line 2"),
        (lambda row: row.update(passes=5), "0 <= passes <= attempts .* line 2"),
        (lambda row: row.update(passes=0.5), "whole counts .* line 2"),
        (lambda row: row.update(passes=float("nan")), "whole counts .* line 2"),
        (lambda row: row.update(problem_id=7), "texts as ids"),
        (lambda row: row.update(problem_id="a"), "found one twice in step 1"),
        (lambda row: row.update(step=0), "rising steps"),
    ],
)
def test_bad_logs_are_refused(
    change: Callable[[dict[str, object]], object], why: str, tmp_path: Path
) -> None:
    rows = [row_of(1, "a"), row_of(1, "b")]
    change(rows[1])
    with pytest.raises(TableError, match=why):
        read_log(write(tmp_path / "groups.jsonl", rows))


def test_an_empty_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="found none; let the run take a step"):
        read_log(write(tmp_path / "groups.jsonl", [], end=""))
    (tmp_path / "groups.jsonl").write_text("[1]\n")
    with pytest.raises(TableError, match="line 1"):
        read_log(tmp_path / "groups.jsonl")
