"""Reading run folders: what the trainer writes meanwhile, what is damaged, what leads elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_runs import completion, group, make_run, open_run, read_all, step_row, write_run

from rlcs.errors import RunFolderError
from rlcs.insight import Runs, RunsFolder, overview, waste
from rlcs.insight.schema import VERSION


def counts(run) -> tuple[int, int, int]:
    """Steps, groups and completions that were read."""
    return (
        run.store.value("SELECT count(*) FROM steps"),
        run.store.value("SELECT count(*) FROM groups"),
        run.store.value("SELECT coalesce(sum(completions), 0)::BIGINT FROM completion_counts"),
    )


def test_everything_is_read_once(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=5)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run) == (5, 50, 200)
    read_all(run)
    assert counts(run) == (5, 50, 200)


def test_new_steps_are_added(tmp_path: Path) -> None:
    maker = make_run(tmp_path / "a", steps=3)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    maker.step(4, 0.5)
    read_all(run)
    assert counts(run) == (4, 40, 160)


def test_the_cache_goes_on_in_another_process(tmp_path: Path) -> None:
    maker = make_run(tmp_path / "a", steps=3)
    open_run(tmp_path / "a", tmp_path / "cache").close()
    maker.step(4, 0.5)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run) == (4, 40, 160)
    assert len(list((tmp_path / "cache").glob("*.duckdb"))) == 1


def test_nothing_is_written_into_the_run_folder(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    run = open_run(tmp_path / "a", tmp_path / "cache")
    overview.headline(run)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == before


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=2)
    line = json.dumps(step_row(3)) + "\n"
    log = tmp_path / "a" / "log" / "steps.jsonl"
    with log.open("a") as file:
        file.write(line[:40])
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run)[0] == 2
    assert run.progress()["bad_lines"] == {"steps": 0, "groups": 0}
    with log.open("a") as file:
        file.write(line[40:])
    read_all(run)
    assert counts(run)[0] == 3


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{not json", id="no JSON"),
        pytest.param("[1, 2]", id="no object"),
        pytest.param('{"step": "x", "problem_id": []}', id="other types"),
        pytest.param("\x00\x00\x00", id="zeros of a crashed disk"),
        pytest.param('{"step": ' + "[" * 5000, id="deeply nested"),
    ],
)
def test_a_damaged_line_is_counted_and_left_out(tmp_path: Path, line: str) -> None:
    rows = [group(1, "a", 2, "trained"), group(1, "b", 0, "invalid")]
    write_run(tmp_path / "a", groups=rows)
    for name in ("groups", "steps"):
        path = tmp_path / "a" / "log" / f"{name}.jsonl"
        path.write_text(line + "\n" + path.read_text())
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run)[:2] == (1, 2)
    assert run.progress()["bad_lines"] == {"steps": 1, "groups": 1}


def test_a_resumed_run_is_read_anew(tmp_path: Path) -> None:
    """Resuming cuts the logs back to the checkpoint and writes other rows behind it."""
    maker = make_run(tmp_path / "a", steps=4)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    for name in ("steps", "groups"):
        path = tmp_path / "a" / "log" / f"{name}.jsonl"
        kept = [line for line in path.read_text().splitlines(True) if json.loads(line)["step"] <= 2]
        path.write_text("".join(kept))
    for step in (3, 4, 5):
        maker.step(step, 0.9)
    read_all(run)
    fresh = open_run(tmp_path / "a", tmp_path / "other cache")
    assert counts(run) == counts(fresh) == (5, 50, 200)
    assert run.store.note("version") == str(VERSION)  # else another process reads all anew
    sums = [
        [(row["reason"], row["groups"], row["tokens"]) for row in waste.ledger(each)]
        for each in (run, fresh)
    ]
    assert sums[0] == sums[1]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PAR1", id="cut off"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PNG" * 100, id="something else"),
    ],
)
def test_a_file_of_completions_that_cannot_be_read_is_said(tmp_path: Path, content: bytes) -> None:
    make_run(tmp_path / "a", steps=3)
    (tmp_path / "a" / "rollouts" / "step_000002.parquet").write_bytes(content)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run) == (3, 30, 80)
    assert run.progress()["unreadable"] == 1


def test_columns_that_an_older_version_did_not_write_are_null(tmp_path: Path) -> None:
    write_run(tmp_path / "a", groups=[group(1, "a", 2, "trained")])
    table = pa.table({"problem_id": ["a", "a"], "passed": [True, False]})
    pq.write_table(table, tmp_path / "a" / "rollouts" / "step_000001.parquet")
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert counts(run)[2] == 2


def test_a_step_is_the_one_that_its_file_is_named_for(tmp_path: Path) -> None:
    write_run(tmp_path / "a", groups=[group(1, "a", 2, "trained")])
    table = pa.Table.from_pylist([completion("a", 0, step=77)])
    pq.write_table(table, tmp_path / "a" / "rollouts" / "step_000001.parquet")
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert run.store.rows("SELECT DISTINCT step FROM completion_counts") == [{"step": 1}]


def test_a_carried_group_is_one_draw_with_its_last_fate(tmp_path: Path) -> None:
    rows = [
        group(1, "a", 2, "carried"),
        group(2, "a", 2, "trained"),
        group(3, "a", 4, "invalid"),
        group(3, "b", 2, "carried"),
    ]
    write_run(tmp_path / "a", groups=rows)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    visits = run.store.rows("SELECT step, problem_id, fate FROM visits ORDER BY step, problem_id")
    assert [tuple(row.values()) for row in visits] == [
        (1, "a", "trained"),
        (3, "a", "invalid"),
        (3, "b", "carried"),
    ]


def test_a_deleted_run_is_said(tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "a")
    runs = Runs(tmp_path / "runs", cache=tmp_path / "cache")
    runs.run("a")
    os.rename(tmp_path / "runs" / "a", tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="removed or renamed"):
        runs.run("a")
    assert runs.entries() == []


def test_a_configuration_that_grows_without_bound_is_not_read(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=1)
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (tmp_path / "a" / "config.resolved.yaml").write_text("\n".join(lines))
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert run.config() == {}


@pytest.mark.parametrize("name", ["..", ".", "", "../secret", "/etc", "a/../a", "a\0b"])
def test_a_name_never_leads_out_of_the_runs_folder(tmp_path: Path, name: str) -> None:
    make_run(tmp_path / "runs" / "a", steps=1)
    make_run(tmp_path / "secret", steps=1)
    with pytest.raises((RunFolderError, ValueError)):
        RunsFolder(tmp_path / "runs").folder(name)


def test_a_link_never_leads_out_of_the_runs_folder(tmp_path: Path) -> None:
    make_run(tmp_path / "secret", steps=1)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a").symlink_to(tmp_path / "secret")
    folder = RunsFolder(tmp_path / "runs")
    assert [entry.state for entry in folder.runs()] == ["refused"]
    with pytest.raises(RunFolderError, match="leads out"):
        folder.folder("a")


def test_a_link_in_a_run_never_leads_out_of_it(tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "a", steps=1)
    make_run(tmp_path / "secret", steps=1)
    stolen = tmp_path / "runs" / "a" / "rollouts" / "step_000001.parquet"
    stolen.unlink()
    run = open_run(tmp_path / "runs" / "a", tmp_path / "cache")  # linked after it was checked
    stolen.symlink_to(tmp_path / "secret" / "rollouts" / "step_000001.parquet")
    read_all(run)
    assert counts(run)[2] == 0
    assert run.progress()["unreadable"] == 1


def test_a_pipe_in_place_of_a_log_is_not_waited_for(tmp_path: Path) -> None:
    write_run(tmp_path / "a", groups=[])
    log = tmp_path / "a" / "log" / "groups.jsonl"
    run = open_run(tmp_path / "a", tmp_path / "cache")
    log.unlink()
    os.mkfifo(log)
    read_all(run)
    assert counts(run)[1] == 0
