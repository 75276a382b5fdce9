"""Real gradings: engines in Ray actors, killed and interrupted; and a run that takes the table."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from workshop import GROUP_SIZE, Workshop, base_config, read_jsonl, write_jsonl

from curricula import read_grades

pytestmark = pytest.mark.long

NUM_PROBLEMS, ATTEMPTS, CHUNK = 39, 4, 6
MODELS = ("first", "second")
NUM_CHUNKS = 7 * len(MODELS)
BOUNDARIES = {"very_easy": 0.88, "easy": 0.62, "medium": 0.38, "hard": 0.12, "very_hard": 0.0}


@pytest.fixture(scope="module")
def config(workshop: Workshop, make_tiny_model: Callable[..., str]) -> Path:
    """Two models, 39 problems of which the verifier fails on three, 7 chunks a model."""
    folder = workshop.folder
    make_tiny_model(folder / "second", "--hidden", "32", "--layers", "1")
    run = base_config(folder)
    tree = {name: run[name] for name in ("data", "scoring", "hardware")}
    tree["rollout"] = {k: v for k, v in run["rollout"].items() if k != "group_size"}
    tree["grade"] = {
        "name": "whole",
        "folder": str(folder / "gradings"),
        "attempts": ATTEMPTS,
        "problems_per_piece": CHUNK,
    }
    tree["models"] = [
        {"name": name, "path": str(folder / model)}
        for name, model in zip(MODELS, ("model", "second"), strict=True)
    ]
    (folder / "grade.yaml").write_text(yaml.safe_dump(tree))
    return folder / "grade.yaml"


@pytest.fixture(scope="module")
def whole(workshop: Workshop, config: Path) -> tuple[Path, str]:
    """A grading that nothing disturbed, and what it printed."""
    said = workshop.call("grade", config)
    return workshop.folder / "gradings" / "whole", said


def chunks(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows by file."""
    return {
        str(path.relative_to(folder)): pq.read_table(path).to_pylist()
        for path in sorted(folder.rglob("piece_*.parquet"))
    }


def test_the_table_counts_what_the_chunks_hold(whole: tuple[Path, str]) -> None:
    folder, _ = whole
    rows = [(path.split("/")[1], row) for path, chunk in chunks(folder).items() for row in chunk]
    assert len(rows) == NUM_PROBLEMS * ATTEMPTS * len(MODELS)
    table = pq.read_table(folder / "difficulty.parquet").to_pylist()
    assert len(table) == NUM_PROBLEMS * len(MODELS)
    passes = Counter((model, row["problem_id"]) for model, row in rows if row["passed"])
    judged = Counter((model, row["problem_id"]) for model, row in rows if row["passed"] is not None)
    for row in table:
        key = row["model"], row["id"]
        assert row["passes"] == passes[key]
        assert row["attempts"] == judged[key]
        assert row["errors"] == ATTEMPTS - judged[key]
        assert row["label"] is None
    assert 0 < sum(passes.values()) < sum(judged.values())


def test_our_failures_are_no_wrong_answers(whole: tuple[Path, str]) -> None:
    folder, said = whole
    grades = read_grades(folder / "difficulty.parquet")
    for name in ("fault0", "fault1"):
        index = list(grades.ids).index(name)
        assert grades.attempts[:, index].tolist() == [0, 0]
        assert grades.errors[:, index].tolist() == [ATTEMPTS, ATTEMPTS]
    assert "could not be had or judged; they count neither way" in said
    assert f"first  all  problems {(grades.attempts[0] > 0).sum()}  pass@1 " in said
    assert (folder / "pass_at_k.png").exists()


def test_models_differ_and_seeds_do_not(whole: tuple[Path, str]) -> None:
    """The same random numbers for every model: what differs is the model's doing."""
    folder, _ = whole
    texts = {
        model: [
            row["text"]
            for path, chunk in chunks(folder).items()
            if f"/{model}/" in path
            for row in chunk
        ]
        for model in MODELS
    }
    assert len(texts["first"]) == len(texts["second"])
    assert texts["first"] != texts["second"]
    assert len(set(texts["first"])) > len(texts["first"]) / 2


@pytest.fixture(scope="module")
def disturbed(workshop: Workshop, config: Path) -> tuple[Path, dict[str, Any]]:
    """The same in three sessions: killed in the first model, interrupted, brought to the end."""
    folder = workshop.folder / "gradings" / "disturbed"
    name = "grade.name=disturbed"
    seen: dict[str, Any] = {}

    first = workshop.start("grade", config, name)
    first.wait_for(lambda: len(chunk_files(folder)) >= 2)
    first.send(signal.SIGKILL)
    assert first.finish() == -signal.SIGKILL
    seen["killed"] = {path: path.stat().st_mtime_ns for path in chunk_files(folder)}
    seen["table after the kill"] = (folder / "difficulty.parquet").exists()

    second = workshop.start("grade", config, name)
    second.wait_for(lambda: len(chunk_files(folder)) > NUM_CHUNKS // 2)
    second.send(signal.SIGINT, whole_group=True)
    seen["status"] = second.finish()
    seen["interrupted"] = {path: path.stat().st_mtime_ns for path in chunk_files(folder)}
    seen["said"] = second.text()

    seen["last"] = workshop.call("grade", config, name)
    return folder, seen


def chunk_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("piece_*.parquet"))


@pytest.mark.stress
def test_the_signals_hit_within_the_work(disturbed: tuple[Path, dict[str, Any]]) -> None:
    _, seen = disturbed
    assert 2 <= len(seen["killed"]) < NUM_CHUNKS // 2
    assert len(seen["killed"]) < len(seen["interrupted"]) < NUM_CHUNKS
    assert not seen["table after the kill"]


@pytest.mark.stress
def test_nothing_saved_is_asked_again(disturbed: tuple[Path, dict[str, Any]]) -> None:
    _, seen = disturbed
    for when in ("killed", "interrupted"):
        for path, time in seen[when].items():
            assert path.stat().st_mtime_ns == time


@pytest.mark.stress
def test_ctrl_c_says_how_to_go_on(disturbed: tuple[Path, dict[str, Any]]) -> None:
    _, seen = disturbed
    assert seen["status"] == 130
    assert "stopping after this chunk" in seen["said"]
    assert "Go on with the same command" in seen["said"]
    assert "grade.name=disturbed" in seen["said"]
    assert "Traceback" not in seen["said"]
    count = len(seen["interrupted"])
    assert f"{count} of {NUM_CHUNKS} chunks" in seen["last"]


@pytest.mark.stress
def test_a_disturbed_grading_equals_a_whole_one(
    whole: tuple[Path, str], disturbed: tuple[Path, dict[str, Any]]
) -> None:
    expected, found = whole[0], disturbed[0]
    assert chunks(found) == chunks(expected)
    table = "difficulty.parquet"
    assert (found / table).read_bytes() == (expected / table).read_bytes()
    assert not list(found.rglob("*.partial"))


def tier_of(rate: float) -> str:
    return next(name for name, boundary in BOUNDARIES.items() if rate >= boundary)


def test_a_run_starts_in_the_tiers_of_the_table(
    whole: tuple[Path, str], workshop: Workshop, tmp_path: Path
) -> None:
    """One step, with labels for two of the problems that the verifier fails on."""
    path = whole[0] / "difficulty.parquet"
    rows = read_jsonl(workshop.folder / "train.jsonl")
    labels = {"fault0": "very hard", "fault1": 2}
    write_jsonl(
        tmp_path / "labelled.jsonl", [{**row, "level": labels.get(row["id"])} for row in rows]
    )
    said = workshop.call(
        "train",
        workshop.config,
        "run.name=graded",
        f"run.folder={tmp_path}",
        "run.num_steps=1",
        "run.groups_per_step=20",
        "curriculum.exploration=1",
        "data.heldout=[]",
        f"data.train.0.path={tmp_path}/labelled.jsonl",
        "data.train.0.columns.label=level",
        f"data.difficulty={{path: {path}, merge: mean, labels: first}}",
    )
    assert "difficulty: 39 of 39 training problems are graded by mean of first, second" in said
    assert "and 2 labels (first)" in said
    grades = read_grades(path)
    expected = {"fault0": "very_hard", "fault1": "easy"}
    for index, name in enumerate(grades.ids):
        judged = grades.attempts[:, index] > 0
        if judged.any():
            rates = grades.passes[judged, index] / grades.attempts[judged, index]
            expected[name] = tier_of(rates.mean())
    groups = read_jsonl(tmp_path / "graded" / "log" / "groups.jsonl")
    assert len(groups) > 20
    assert {row["problem_id"]: row["tier"] for row in groups}.items() <= expected.items()
    assert len({row["tier"] for row in groups}) >= 3
    assert all(row["passes"] <= GROUP_SIZE for row in groups)
    assert json.loads((tmp_path / "graded" / "summary.json").read_text())["steps"] == 1
