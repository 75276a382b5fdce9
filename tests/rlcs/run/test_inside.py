"""Nothing in a run folder leads out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rlcs.errors import RunFolderError
from rlcs.run.checkpoint import Checkpoints, find_model
from rlcs.run.inside import check_inside


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    model = run / "checkpoints" / "step_000005" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (run / "log").mkdir()
    (run / "log" / "steps.jsonl").write_text("{}\n")
    outside = tmp_path / "outside" / "model"
    outside.mkdir(parents=True)
    (outside / "config.json").write_text("{}")
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    return run


def linked(path: str, target: str) -> Callable[[Path], None]:
    def make(run: Path) -> None:
        link = run / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    return make


LEAD_OUT = [
    pytest.param(linked("checkpoints/step_000009", "../../outside"), id="a checkpoint"),
    pytest.param(linked("checkpoints/step_000009/model", "../../../outside/model"), id="a model"),
    pytest.param(linked("checkpoints/step_000005/model/x", "/etc/passwd"), id="a file of a model"),
    pytest.param(linked("log/groups.jsonl", "../../outside/secret.txt"), id="a log"),
    pytest.param(linked("rollouts", "../outside"), id="the folder of the rollouts"),
    pytest.param(linked("tensorboard", "/tmp"), id="a tracker's folder"),
    pytest.param(linked("config.resolved.yaml", "../outside/secret.txt"), id="the configuration"),
    pytest.param(linked("log/new", "../../nowhere"), id="what is not there yet"),
]


@pytest.mark.parametrize("make", LEAD_OUT)
def test_a_link_that_leads_out_is_refused_wherever_it_is(
    run: Path, make: Callable[[Path], None]
) -> None:
    make(run)
    with pytest.raises(RunFolderError, match=r"found a link to .*, which leads out of it"):
        check_inside(run)
    with pytest.raises(RunFolderError, match="leads out of it"):
        find_model(run)


def test_links_that_stay_are_followed_and_the_folder_may_be_one(run: Path, tmp_path: Path) -> None:
    (run / "newest").symlink_to("checkpoints/step_000005")
    (run / "circle").symlink_to("circle")
    (tmp_path / "runs").symlink_to(run)
    check_inside(tmp_path / "runs")
    assert find_model(tmp_path / "runs").name == "model"


def test_a_pipe_would_wait_for_ever(run: Path) -> None:
    os.mkfifo(run / "log" / "groups.jsonl")
    with pytest.raises(RunFolderError, match="found neither"):
        check_inside(run)


@pytest.mark.parametrize(
    "note",
    [
        *("", "{", "[]", "3", "null", "{}", '{"checkpoint": 5}', '{"checkpoint": ["step_000005"]}'),
        *(
            json.dumps({"checkpoint": name})
            for name in (
                *("../../outside", "/etc", "..", ".", "", "step_000005/../../../outside"),
                *("step_000005.partial", "step_x", "step_000005\n", "a\x00b", "step_٠٠٠٠٠٥"),
            )
        ),
    ],
)
def test_a_note_that_names_anything_else_is_refused(run: Path, note: str) -> None:
    path = run / "checkpoints" / "best.json"
    path.write_text(note)
    with pytest.raises(RunFolderError) as refused:
        Checkpoints(run / "checkpoints", keep=1).best()
    assert 'expected {"checkpoint": "step_000100", "accuracy": 0.5}' in str(refused.value)
    with pytest.raises(RunFolderError):
        find_model(run)


def test_a_checkpoint_that_was_pruned_is_no_best(run: Path) -> None:
    (run / "checkpoints" / "best.json").write_text('{"checkpoint": "step_000001"}')
    assert Checkpoints(run / "checkpoints", keep=1).best() is None
    assert find_model(run).parent.name == "step_000005"
