"""States that changed hands, and difficulty as a table."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from worlds import assert_same_state, make, problems, roll_out, run

from curricula import (
    CurriculumProblem,
    DifficultyTable,
    GroupResult,
    SamplingCurriculum,
    StateError,
    TableError,
    make_curriculum,
    read_difficulty_table,
    write_difficulty_table,
)


def changed(rows: list[CurriculumProblem], kind: str = "rlcs") -> SamplingCurriculum:
    return make_curriculum(kind, rows, group_size=8, seed=0)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda: make("uniform", 600), "kind = uniform"),
        (lambda: make("rlcs", 600, boundaries=(0.9, 0.6, 0.4, 0.1)), "tiers = "),
        (lambda: make("rlcs", expansion="predicted"), "parts = .*'PredictedDraw'"),
        (lambda: make("rlcs", domains="progress"), "parts = .*'ProgressShares'"),
        (lambda: make("rlcs", 601), "found one of 600 .* 0 are not here"),
        (lambda: make("rlcs", 100), "are not here: 'p"),
        (lambda: changed(problems(600)), "these 600 problems, found one of 600"),
    ],
    ids=[
        *("kind", "tiers", "other expansion", "other domains", "a problem more", "many fewer"),
        "offline pass rates gone",
    ],
)
def test_a_foreign_state_is_refused(other, why: str) -> None:  # type: ignore[no-untyped-def]
    saved = make("rlcs")
    run(saved, range(5))
    curriculum = other()
    before = pickle.dumps(curriculum.state_dict())
    with pytest.raises(StateError, match=why):
        curriculum.load_state_dict(saved.state_dict())
    assert pickle.dumps(curriculum.state_dict()) == before


@pytest.mark.parametrize("kind", ["rlcs", "posterior", "uniform", "dapo", "static"])
def test_reconciling_takes_over_what_is_still_here(kind: str) -> None:
    saved = make(kind)
    run(saved, range(20))
    state = saved.state_dict()
    old = [p for p in problems(600, graded=True) if int(p.problem_id[1:]) % 5]
    new = [
        CurriculumProblem(problem_id=f"new{i}", domain="ocr", category="", prior_pass_rate=0.5)
        for i in range(50)
    ]
    curriculum = changed(old + new, kind)
    curriculum.load_state_dict(state, reconcile=True)
    before, after = saved.export_difficulty(), curriculum.export_difficulty()
    kept = {name: rate for name, rate in before.pass_rates.items() if int(name[1:]) % 5}
    assert after.pass_rates == kept
    assert curriculum.metrics()["num_forgotten"] == len(before.ids) - len(after.ids) > 0
    labels = dict(zip(before.ids, before.labels, strict=True))
    assert all(labels[name] == label for name, label in zip(after.ids, after.labels, strict=True))
    assert curriculum.metrics().get("expansion_ratio") == saved.metrics().get("expansion_ratio")
    assert {d.problem_id for draws, _ in [(curriculum.draw(16, step=20), 0)] for d in draws}


def with_texts(num: int, edited: set[int]) -> list[CurriculumProblem]:
    return [
        dataclasses.replace(problem, content=f"text {i}{' edited' if i in edited else ''}")
        for i, problem in enumerate(problems(num))
    ]


def test_an_edited_text_is_noticed_and_forgotten_on_request() -> None:
    saved = changed(with_texts(60, set()))
    run(saved, range(6))
    seen = saved.export_difficulty().pass_rates
    unseen = [i for i in range(60) if f"p{i}" not in seen]
    state = saved.state_dict()
    changed(with_texts(60, set())).load_state_dict(state)
    changed(problems(60)).load_state_dict(state)  # without texts nothing can be told
    other = changed(with_texts(60, {7, unseen[0]}))
    observed = f"{'1' if 'p7' in seen else '0'} were edited"
    with pytest.raises(StateError, match=f"texts differ; .* 0 are not here, {observed}"):
        other.load_state_dict(state)
    other.load_state_dict(state, reconcile=True)
    assert other.metrics()["num_edited"] == ("p7" in seen)
    assert other.export_difficulty().pass_rates == {n: r for n, r in seen.items() if n != "p7"}


def test_draws_of_problems_that_are_gone_stay_in_the_accounts() -> None:
    saved = make_curriculum("rlcs", with_texts(60, set()), group_size=8, seed=0, carry_over=True)
    results = [GroupResult(d.problem_id, 0, 4, 8, 0) for d in saved.draw(12, step=0)]
    saved.observe(results)
    saved.select(results, 4)
    carried = saved.carried
    awaited = [draw.problem_id for draw in saved.draw(30, step=1)]
    assert len(carried) > 4
    assert len(awaited) > 4
    gone = {carried[0], carried[1], awaited[0]}
    edited = {int(carried[2][1:]), int(awaited[1][1:])}
    other = make_curriculum(
        "rlcs",
        [p for p in with_texts(60, edited) if p.problem_id not in gone],
        group_size=8,
        seed=0,
        carry_over=True,
    )
    other.load_state_dict(saved.state_dict(), reconcile=True)
    metrics = other.metrics()
    assert other.carried == carried[3:]
    assert metrics["num_fate_surplus"] == 3
    assert metrics["num_unanswered_draws"] == 2
    assert metrics["num_awaited"] == len(awaited) - 2
    assert metrics["num_drawn"] == len(results) + len(awaited)
    assert metrics["num_drawn"] == sum(
        metrics[f"num_{name}"] for name in ("observed", "awaited", "unanswered_draws")
    )


def test_half_a_state_is_refused() -> None:
    state = make("rlcs").state_dict()
    del state["pacing"]
    with pytest.raises(StateError, match="without 'pacing'"):
        make("rlcs").load_state_dict(state)


def test_reconciling_with_the_same_problems_changes_nothing() -> None:
    saved, other = make("rlcs"), make("rlcs", seed=9)
    run(saved, range(8))
    other.load_state_dict(saved.state_dict(), reconcile=True)
    assert_same_state(other.state_dict(), saved.state_dict())


def test_a_state_is_small_while_little_was_seen() -> None:
    sizes = []
    for num in (2000, 20000):
        curriculum = make("rlcs", num)
        run(curriculum, range(5))
        sizes.append(len(pickle.dumps(curriculum.state_dict())))
    assert sizes[1] < 1.5 * sizes[0]


def test_state_is_a_copy() -> None:
    curriculum = make("rlcs")
    run(curriculum, range(3))
    state = curriculum.state_dict()
    kept = pickle.dumps(state)
    run(curriculum, range(3, 6))
    assert pickle.dumps(state) == kept
    other = make("rlcs")
    other.load_state_dict(state)
    run(other, range(3, 6))
    assert pickle.dumps(state) == kept


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


@pytest.mark.parametrize("missing", ["id", "passes", "attempts"])
def test_a_table_without_a_column_is_refused(missing: str, tmp_path: Path) -> None:
    columns = {"id": ["p1"], "passes": [1], "attempts": [8]}
    del columns[missing]
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "d.parquet")
    with pytest.raises(TableError, match=f"missing: {missing}"):
        read_difficulty_table(tmp_path / "d.parquet")


def test_evidence_ages_by_the_step_and_gives_way_to_the_prior() -> None:
    """By hand: discount .5, three steps between two groups."""
    curriculum = make("rlcs", discount=0.5)
    curriculum.observe([GroupResult("p0", 1, 8, 8, 0)])
    curriculum.observe([GroupResult("p0", 4, 2, 8, 0)])
    table = curriculum.export_difficulty()
    # Exported at the step of the last draw (none yet), so not aged further.
    assert table.passes.tolist() == [8 * 0.5**3 + 2]
    assert table.attempts.tolist() == [8 * 0.5**3 + 8]
    curriculum.draw(1, step=6)
    assert curriculum.export_difficulty().attempts.tolist() == [9 / 4]


def test_long_certainty_does_not_overflow() -> None:
    curriculum = make("rlcs", discount=1.0)
    for step in range(600):
        curriculum.observe([GroupResult("p0", step, 8, 8, 0)])
    table = curriculum.export_difficulty()
    assert table.passes[0] == table.attempts[0] == 2048
    roll_out(curriculum.draw(4, step=600), 600)
