"""What a curriculum knows, as a table and back."""

from pathlib import Path

import numpy as np
import pytest
from worlds import make, run

from curricula import DifficultyTable, TableError, read_difficulty_table, write_difficulty_table


def test_difficulty_survives_a_table(tmp_path: Path) -> None:
    curriculum = make("rlcs")
    run(curriculum, range(20))
    write_difficulty_table(curriculum.export_difficulty(), tmp_path / "d.parquet", model="tiny")
    table = read_difficulty_table(tmp_path / "d.parquet")
    fresh = make("rlcs")
    fresh.start_from(table)
    again = fresh.export_difficulty()
    assert again.ids == list(table.ids)
    assert again.passes == pytest.approx(table.passes, rel=1e-3)
    assert again.attempts == pytest.approx(table.attempts, rel=1e-3)
    assert fresh.metrics()["unseen"] == curriculum.metrics()["unseen"] < 1
    known = {name for name, tier in zip(again.ids, again.labels, strict=True) if tier == "medium"}
    drawn = {draw.problem_id for draw in fresh.draw(16, step=0)}
    assert len(drawn & known) > 3 * len(drawn) * len(known) / 600  # it starts where it left off


def table_of(ids: list[str], passes: list[float], attempts: list[float]) -> DifficultyTable:
    return DifficultyTable(
        ids=ids, passes=np.array(passes), attempts=np.array(attempts), labels=[""] * len(ids)
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((["p1"], [9], [8]), "0 <= passes <= attempts"),
        ((["p1"], [-1], [8]), "0 <= passes <= attempts"),
        ((["p1"], [float("nan")], [8]), "0 <= passes <= attempts"),
        ((["p1", "p1"], [1, 1], [8, 8]), "every id once"),
        ((["p1"], [1, 1], [8, 8]), "one length"),
        ((["p1", "foreign"], [1, 1], [8, 8]), "1 foreign rows of 2: 'foreign'"),
    ],
)
def test_bad_tables_are_refused(rows: tuple[list[str], list[float], list[float]], why: str) -> None:
    with pytest.raises(TableError, match=why):
        make("rlcs").start_from(table_of(*rows))


def test_foreign_rows_can_be_dropped_and_are_counted() -> None:
    curriculum = make("rlcs")
    curriculum.start_from(table_of(["p1", "foreign"], [1, 1], [8, 8]), drop_foreign=True)
    assert curriculum.metrics()["num_foreign_rows"] == 1
    assert curriculum.export_difficulty().pass_rates == {"p1": 0.125}
    with pytest.raises(TableError, match="before the first draw"):
        curriculum.start_from(table_of(["p2"], [1], [8]))
