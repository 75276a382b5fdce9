"""What a run's page saves is what the next run takes, and large runs say where their texts are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_runs import completion, group, open_run, write_run

from rlcs.cli.main import main
from rlcs.config import RunConfig, load_config
from rlcs.dashboard.app import make_app
from rlcs.dashboard.context import Context
from rlcs.data import LoadedData, load_data
from rlcs.insight import Runs, problem, problems
from rlcs.run import problem_file
from rlcs.run.problem_file import write_problems

BUTTONS = ("never-table", "never-ids", "always-ids", "suspects-table")


def write_config(folder: Path) -> Path:
    """The configuration of a run on eight sums, whose ids are made by the loader."""
    rows = [{"question": f"What is {at} + 1?", "answer": str(at + 1)} for at in range(8)]
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = folder / "config.yaml"
    config.write_text(
        f"run: {{name: a}}\nmodel: {{path: {folder}}}\ndata: {{train: [{{path: {data}}}]}}\n"
    )
    return config


def load(config: Path, *assignments: str) -> LoadedData:
    """The data of a run with this configuration."""
    return load_data(load_config(config, list(assignments), kind=RunConfig).data)


def saved(folder: Path, button: str, cache: Path) -> str:
    """The file that a browser saves when ``button`` of the data detective is pressed."""
    context = Context(runs=Runs(folder, cache=cache))
    page = make_app(context).server.test_client()
    answer = page.post(
        "/_dash-update-component",
        json={
            "output": "detective-list.data",
            "outputs": {"id": "detective-list", "property": "data"},
            "inputs": [
                {"id": name, "property": "n_clicks", "value": 1 if name == button else None}
                for name in BUTTONS
            ],
            "changedPropIds": [f"{button}.n_clicks"],
            "state": [{"id": "address", "property": "search", "value": f"?run={folder.name}"}],
        },
    )
    context.close()
    return str(answer.get_json()["response"]["detective-list"]["data"]["content"])


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Path, Path, list[str]]:
    """A run that never solved its first three problems and always the last: its folder, its
    configuration, and the ids of its problems."""
    config = write_config(tmp_path)
    loaded = load(config)
    ids = loaded.train.ids()
    groups = [
        group(step, name, 0 if at < 3 else 4 if at == 7 else 2, "trained")
        for step in (1, 2)
        for at, name in enumerate(ids)
    ]
    write_run(tmp_path / "a", groups=groups, completions={1: [completion(ids[7], 0, passed=True)]})
    write_problems(tmp_path / "a", train=loaded.train)
    open_run(tmp_path / "a", tmp_path / "cache").close()
    return tmp_path / "a", config, ids


@pytest.mark.parametrize(
    ("button", "kept"),
    [
        pytest.param("never-ids", slice(3, None), id="never solved"),
        pytest.param("always-ids", slice(None, 7), id="always solved"),
    ],
)
def test_what_is_saved_is_what_the_next_run_drops(
    trained: tuple[Path, Path, list[str]], tmp_path: Path, button: str, kept: slice
) -> None:
    folder, config, ids = trained
    drop = tmp_path / "drop.txt"
    drop.write_text(saved(folder, button, tmp_path / "cache"))
    assert load(config, f"data.drop={drop}").train.ids() == ids[kept]


def test_a_saved_list_has_more_than_the_page(
    trained: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlcs.insight.detective.never_solved.__kwdefaults__", {"most": 1})
    folder, _, ids = trained
    content = saved(folder, "never-ids", tmp_path / "cache")
    assert sorted(content.splitlines()) == sorted(ids[:3])
    table = saved(folder, "never-table", tmp_path / "cache")
    assert len(table.splitlines()) == 1 + 3


def test_a_large_run_says_where_its_texts_are(
    trained: tuple[Path, Path, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, config, ids = trained
    assert problems.missing(open_run(folder, tmp_path / "cache")) == ""
    monkeypatch.setattr(problem_file, "MOST_TEXTS", 5)
    write_problems(folder, train=load(config).train)
    run = open_run(folder, tmp_path / "cache")
    assert problems.missing(run) == problems.LEFT_OUT
    found = problem.problem(run, ids[0])
    assert (found.known, found.domain, found.missing) == (True, "math", problems.LEFT_OUT)
    run.close()
    for view in ("problems", "problem", "detective"):
        assert "leaves their texts out" in shown(view, folder, tmp_path / "cache", ids[0]), view
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert main(["show", str(folder), "--problem", ids[0]]) == 0
    assert "leaves their texts out" in capsys.readouterr().out


def shown(view: str, folder: Path, cache: Path, problem_id: str) -> str:
    """The content of a view, as a browser gets it."""
    context = Context(runs=Runs(folder, cache=cache))
    page = make_app(context).server.test_client()
    search = f"?run={folder.name}&problem={problem_id}"
    inputs: list[dict[str, Any]] = [
        {"id": "address", "property": "pathname", "value": f"/{view}"},
        {"id": "address", "property": "search", "value": search},
        {"id": "seen", "property": "data", "value": None},
    ]
    answer = page.post(
        "/_dash-update-component",
        json={
            "output": "content.children",
            "outputs": {"id": "content", "property": "children"},
            "inputs": inputs,
            "changedPropIds": ["address.pathname"],
            "state": [{"id": "content", "property": "children", "value": None}],
        },
    )
    context.close()
    return answer.get_data(as_text=True)
