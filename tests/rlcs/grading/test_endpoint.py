"""``rlcs grade`` over a real local server that speaks the protocol, faults included."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from endpoint_server import RIGHT, Server, endpoint_server

from curricula import read_grades
from rlcs.cli.main import main

FALSE = "It is \\boxed{5}."
KEY_VARIABLE = "RLCS_TEST_ENDPOINT_KEY"


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint_server() as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, server: Server) -> Path:
    """Five problems, four attempts, two problems a chunk."""
    rows = [
        {"n": f"p{number}", "question": f"{number}: 2 + 2?", "answer": "4"} for number in range(5)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    endpoint = {
        "base_url": f"http://127.0.0.1:{server.server_port}/v1",
        "model": "served-name",
        "key_variable": KEY_VARIABLE,
        "deadline_seconds": 60.0,
        "timeout_seconds": 20.0,
    }
    tree = {
        "grade": {
            "name": "g",
            "folder": str(tmp_path / "runs"),
            "attempts": 4,
            "problems_per_piece": 2,
        },
        "models": [{"name": "far", "endpoint": endpoint, "system_prompt": "Box it."}],
        "data": {"train": [{"path": str(tmp_path / "rows.jsonl"), "columns": {"id": "n"}}]},
        "rollout": {"max_thinking_tokens": 90, "max_answer_tokens": 10, "temperature": 0.7},
    }
    (tmp_path / "config.yaml").write_text(json.dumps(tree))
    return tmp_path / "config.yaml"


def counts(config: Path) -> dict[str, tuple[float, float, float]]:
    """Passes, attempts, errors by problem."""
    grades = read_grades(config.parent / "runs" / "g" / "difficulty.parquet")
    [passes], [attempts], [errors] = grades.passes, grades.attempts, grades.errors
    return dict(
        zip(
            grades.ids,
            zip(passes.tolist(), attempts.tolist(), errors.tolist(), strict=True),
            strict=True,
        )
    )


def chunk_files(config: Path) -> list[Path]:
    return sorted((config.parent / "runs").rglob("piece_*.parquet"))


def test_a_whole_grading(
    config: Path, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret-word")
    server.reply = lambda number, question: RIGHT if question < "2" else (FALSE, None)[number % 2]
    assert main(["grade", str(config)]) == 0
    assert counts(config) == {f"p{n}": (4 if n < 2 else 0, 4, 0) for n in range(5)}
    said = capsys.readouterr().out
    assert "far  all  problems 5  pass@1 40.0%" in said
    assert "never to always 3|0|0|0|2" in said
    assert len(server.asked) == 20
    assert server.asked[0] == {
        "model": "served-name",
        "messages": [
            {"role": "system", "content": "Box it."},
            {"role": "user", "content": server.asked[0]["messages"][1]["content"]},
        ],
        "temperature": 0.7,
        "max_tokens": 100,
    }
    assert set(server.keys) == {"Bearer secret-word"}
    written = [path.read_bytes() for path in (config.parent / "runs").rglob("*") if path.is_file()]
    assert not any(b"secret-word" in content for content in written)
    rows = pq.read_table(chunk_files(config)[0]).to_pylist()
    assert [row["index"] for row in rows] == [0, 1, 2, 3] * 2
    assert rows[0]["text"] == RIGHT
    assert (rows[0]["outcome"], rows[0]["extracted"], rows[0]["tokens"]) == ("correct", "4", 7)

    # Once more: everything is there, and nobody is asked.
    assert main(["grade", str(config)]) == 0
    assert len(server.asked) == 20
    assert "pass@1 40.0%" in capsys.readouterr().out


def test_fields_of_the_request_are_the_users(config: Path, server: Server) -> None:
    change = "models.0.endpoint.parameters={max_tokens: null, max_completion_tokens: 5, top_k: 3}"
    assert main(["grade", str(config), change]) == 0
    fields = {name: value for name, value in server.asked[0].items() if name != "messages"}
    assert fields == {
        "model": "served-name",
        "temperature": 0.7,
        "max_completion_tokens": 5,
        "top_k": 3,
    }


@pytest.mark.long
def test_what_fails_for_the_moment_is_asked_again(config: Path, server: Server) -> None:
    faults: dict[int, Any] = {1: 429, 2: 503, 3: b"not json", 4: b'{"choices": []}'}

    def reply(number: int, question: str) -> Any:
        if number == 5:
            time.sleep(6)  # longer than timeout_seconds
        return faults.get(number, RIGHT)

    server.reply = reply
    assert main(["grade", str(config), "models.0.endpoint.timeout_seconds=3"]) == 0
    assert counts(config) == {f"p{n}": (4, 4, 0) for n in range(5)}
    assert len(server.asked) >= 25  # on a busy machine more requests take too long


def test_what_is_refused_is_our_failure_and_no_wrong_answer(
    config: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number, question: 400 if question.startswith("3") else RIGHT
    assert main(["grade", str(config)]) == 0
    assert counts(config) == {f"p{n}": (0, 0, 4) if n == 3 else (4, 4, 0) for n in range(5)}
    said = capsys.readouterr().out
    assert "far: 4 attempts at 1 problems could not be had or judged" in said
    assert "pass@1 100.0%" in said
    rows = pq.read_table(chunk_files(config)[1]).to_pylist()
    [refused] = {row["detail"] for row in rows if row["problem_id"] == "p3"}
    assert refused.startswith("status 400: ")
    assert "this [bold]is refused" in refused


@pytest.mark.parametrize(
    ("said_by_the_server", "words"),
    [
        (401, ["says 401: the key is not accepted", KEY_VARIABLE, "which is empty"]),
        (404, ["says 404: there is no such model", "'served-name'"]),
        (400, ["refused all 8 requests", "status 400", "endpoint.parameters"]),
        (503, ["no answer within deadline_seconds = 2", "status 503", "Is it running?"]),
    ],
)
def test_an_endpoint_that_is_no_use_ends_the_grading(
    config: Path,
    server: Server,
    said_by_the_server: int,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.reply = lambda number, question: said_by_the_server
    change = "models.0.endpoint.deadline_seconds=2"
    assert main(["grade", str(config), change]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rlcs: error: far: the endpoint http://127.0.0.1:")
    assert [word for word in [*words, "the same command"] if word not in said] == [], said
    assert chunk_files(config) == []


def test_a_server_that_is_not_there(
    config: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = [
        "models.0.endpoint.deadline_seconds=1",
        "models.0.endpoint.base_url=http://127.0.0.1:9/v1",
    ]
    assert main(["grade", str(config), *changes]) == 2
    assert "no answer within deadline_seconds = 1; last: API" in capsys.readouterr().err


@pytest.mark.long
def test_a_server_that_dies_costs_a_chunk_at_most(
    config: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second chunk of 8 requests fails halfway; the next session asks it whole, and no more."""
    server.reply = lambda number, question: RIGHT if number <= 12 else 401
    assert main(["grade", str(config)]) == 2
    assert len(chunk_files(config)) == 1
    assert not (config.parent / "runs" / "g" / "difficulty.parquet").exists()
    asked_before = len(server.asked)
    server.reply = lambda number, question: RIGHT
    # The server came back at another port, and slower: no other answers, so no refusal.
    assert main(["grade", str(config), "models.0.endpoint.max_concurrent=2"]) == 0
    assert len(server.asked) - asked_before == 12
    assert "going on with" in capsys.readouterr().out
    assert counts(config) == {f"p{n}": (4, 4, 0) for n in range(5)}


@pytest.mark.long
def test_models_may_be_added(config: Path, server: Server) -> None:
    assert main(["grade", str(config)]) == 0
    tree = json.loads(config.read_text())
    tree["models"].append({**tree["models"][0], "name": "second"})
    config.write_text(json.dumps(tree))
    server.reply = lambda number, question: FALSE
    assert main(["grade", str(config)]) == 0
    assert len(server.asked) == 40
    grades = read_grades(config.parent / "runs" / "g" / "difficulty.parquet")
    assert grades.models == ["far", "second"]
    assert grades.passes.tolist() == [[4] * 5, [0] * 5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("grade.attempts=8", ["grade.attempts: 4 -> 8", "grade.name=OTHER", "Models may be added"]),
        ("rollout.temperature=1", ["rollout.temperature: 0.7 -> 1.0"]),
        ("models.0.system_prompt=x", ["models.0.system_prompt: 'Box it.' -> 'x'"]),
        ("models.0.name=other", ["models: far -> (absent)"]),
        ("data.train.0.limit=4", ["the data: 5 problems -> 4 problems that are not the same"]),
    ],
)
def test_going_on_as_another_grading_is_refused(
    config: Path, server: Server, change: str, words: list[str], capsys: Any
) -> None:
    server.reply = lambda number, question: RIGHT if number <= 12 else 401
    assert main(["grade", str(config)]) == 2
    before = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["grade", str(config), change]) == 2
    said = capsys.readouterr().err
    assert "holds a grading with other settings" in said
    assert [word for word in words if word not in said] == [], said
    after = {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.long
def test_a_damaged_chunk_is_named(config: Path, server: Server, capsys: Any) -> None:
    assert main(["grade", str(config)]) == 0
    chunk_files(config)[1].write_bytes(b"PAR1")
    assert main(["grade", str(config)]) == 2
    said = capsys.readouterr().err
    assert "piece_000002.parquet, found a damaged one" in said
    chunk_files(config)[1].unlink()
    assert main(["grade", str(config)]) == 0
    assert len(server.asked) == 28


@pytest.mark.parametrize("left", ["attempts", "problems.json"])
def test_killed_before_the_first_chunk(config: Path, server: Server, left: str) -> None:
    folder = config.parent / "runs" / "g"
    folder.mkdir(parents=True)
    (folder / left).touch()
    if left == "attempts":
        (folder / left).unlink()
        (folder / left / "far").mkdir(parents=True)
    assert main(["grade", str(config)]) == 0


MISTAKES: dict[str, tuple[list[str], list[str]]] = {
    "neither path nor endpoint": (
        ["models.0={name: a}"],
        ["models.0", "exactly one of path and endpoint, found neither"],
    ),
    "both": (["models.0.path=x"], ["exactly one of path and endpoint, found both"]),
    "no models": (["models=[]"], ["models: expected a list with at least 1 entry"]),
    "a name twice": (
        ["models=[{name: a, path: x}, {name: a, path: y}]"],
        ["a name of its own for each model, found a more than once"],
    ),
    "a name that is a path": (["models.0.name=../x"], ["models.0.name: expected text that"]),
    "no address": (["models.0.endpoint.base_url=there"], ["base_url: expected text that matches"]),
    "fields that are ours": (
        ["models.0.endpoint.parameters={n: 4}"],
        ["endpoint.parameters", "expected other fields of the request, found n"],
    ),
    "a key in the file": (
        ["models.0.endpoint.key=abc"],
        ["models.0.endpoint.key: unknown key", "key_variable"],
    ),
    "no attempts": (["grade.attempts=0"], ["grade.attempts: expected a number not below 1"]),
    "a budget below a row": (
        ["models.0={name: a, path: no/where}", "rollout.batch_tokens=8"],
        ["Raise rollout.batch_tokens to 612"],
    ),
    "no data": (["data.train.0.path=no.jsonl"], ["no.jsonl", "expected a file (.jsonl"]),
    "no such model": (["models.0={name: a, path: no/where}"], ["no/where", "model folder"]),
    "a section of another verb": (["run.seed=1"], ["run: unknown key", "Known keys"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_with_one_message_and_nothing_written(
    config: Path, server: Server, mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, words = MISTAKES[mistake]
    assert main(["grade", str(config), *changes]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("rlcs: error: ")
    assert [word for word in words if word not in said.err] == [], said.err
    assert server.asked == []
    assert not (config.parent / "runs").exists()


def test_a_folder_that_is_something_else(config: Path, server: Server, capsys: Any) -> None:
    folder = config.parent / "runs" / "g"
    folder.mkdir(parents=True)
    for name in ("notes.txt", "config.resolved.yaml"):  # the latter alone: a run of another verb
        (folder / name).write_text("run: {}\n")
        assert main(["grade", str(config)]) == 2
        assert "exists and is no grading" in capsys.readouterr().err
        (folder / name).unlink()


def test_without_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade"]) == 2
    assert "expected a config file; see rlcs grade --help." in capsys.readouterr().err
