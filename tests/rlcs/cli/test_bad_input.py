"""Every mistake of a user's ends with one message, exit status 2, and nothing half-written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from workshop import Workshop, environment, write_jsonl

from rlcs.cli.main import main
from rlcs.config import RunConfig, load_config, write_config

Arrange = Callable[[Workshop, Path], list[str]]
"""Prepares a mistake in a folder; returns the arguments after ``rlcs``."""

GOOD = {"id": "a", "question": "Calculate 1 + 1.", "answer": "50"}


def train(*overrides: str) -> Arrange:
    """``rlcs train`` of the workshop's configuration with overrides."""
    return lambda shop, folder: ["train", str(shop.config), f"run.folder={folder}/runs", *overrides]


def rows(*values: Any, overrides: tuple[str, ...] = ()) -> Arrange:
    """``rlcs train`` on these rows."""

    def arrange(shop: Workshop, folder: Path) -> list[str]:
        path = write_jsonl(folder / "rows.jsonl", values)
        return train(f"data.train.0.path={path}", *overrides)(shop, folder)

    return arrange


def on_heldout(shop: Workshop, folder: Path) -> list[str]:
    return train(f"data.train.0.path={shop.folder}/heldout.jsonl")(shop, folder)


def model_without(*names: str) -> Arrange:
    def arrange(shop: Workshop, folder: Path) -> list[str]:
        shutil.copytree(shop.model, folder / "model", ignore=shutil.ignore_patterns(*names))
        return train(f"model.path={folder}/model")(shop, folder)

    return arrange


def missing_model(shop: Workshop, folder: Path) -> list[str]:
    return train(f"model.path={folder}/nowhere")(shop, folder)


def existing_run(shop: Workshop, folder: Path) -> list[str]:
    (folder / "runs" / "whole").mkdir(parents=True)
    return train()(shop, folder)


def unsaved_run(shop: Workshop, folder: Path) -> Path:
    """A run that ended before its first save."""
    run = folder / "runs" / "whole"
    run.mkdir(parents=True)
    config = load_config(shop.config, [f"run.folder={folder}/runs"], kind=RunConfig)
    write_config(config, run / "config.resolved.yaml")
    return run


def resume(*overrides: str) -> Arrange:
    return lambda shop, folder: ["train", "--resume", str(unsaved_run(shop, folder)), *overrides]


def resume_with_config(shop: Workshop, folder: Path) -> list[str]:
    run = str(unsaved_run(shop, folder))
    change = [f"run.folder={folder}/runs", "run.seed=8"]
    return ["train", str(shop.config), "--resume", run, *change]


def resume_missing(shop: Workshop, folder: Path) -> list[str]:
    return ["train", "--resume", str(folder / "nowhere")]


def resume_other_folder(shop: Workshop, folder: Path) -> list[str]:
    return ["train", "--resume", str(shop.model)]


def evaluate(*arguments: str) -> Arrange:
    return lambda shop, folder: [
        "eval",
        str(shop.config),
        *(argument.replace("HERE", str(folder)) for argument in arguments),
    ]


def export_nothing(shop: Workshop, folder: Path) -> list[str]:
    return ["export", str(folder / "nowhere"), str(folder / "out")]


def export_over(shop: Workshop, folder: Path) -> list[str]:
    (folder / "out").mkdir()
    return ["export", str(shop.model), str(folder / "out")]


def sft(values: list[Any], *overrides: str, existing: bool = False) -> Arrange:
    """``rlcs sft`` on these rows."""

    def arrange(shop: Workshop, folder: Path) -> list[str]:
        path = write_jsonl(folder / "rows.jsonl", values)
        columns = {"question": "question", "reference": "answer", "response": "response"}
        section = {
            "output": str(folder / "out"),
            "model": {"path": str(shop.model)},
            "data": {"train": [{"path": str(path), "columns": columns}]},
        }
        (folder / "sft.yaml").write_text(yaml.safe_dump(section))
        if existing:
            (folder / "out").mkdir()
        return ["sft", str(folder / "sft.yaml"), *overrides]

    return arrange


LESSON = {"question": "Calculate 1 + 1.", "answer": "2", "response": "<answer>2</answer>"}

MISTAKES: dict[str, tuple[Arrange, list[str]]] = {
    # the configuration
    "an unknown key": (train("learner.colour=red"), ["learner.colour", "unknown key", "Known"]),
    "a misspelt key": (train("learner.learning_rat=1"), ["Did you mean", "learning_rate"]),
    "a key of another section": (train("learner.group_size=4"), ["rollout.group_size"]),
    "a text for a number": (train("run.num_steps=many"), ["run.num_steps", "whole", "'many'"]),
    "a batch that does not divide": (
        train("learner.updates_per_step=4"),
        ["groups_per_step = 6", "updates_per_step = 4", "1.50", "4 or 8"],
    ),
    "a budget below one row": (train("rollout.batch_tokens=8"), ["rollout.batch_tokens", "46"]),
    "an override without a value": (
        lambda shop, folder: ["train", str(shop.config), "run.seed"],
        ["run.seed", "key.path=value"],
    ),
    "a missing config file": (
        lambda shop, folder: ["train", str(folder / "nowhere.yaml")],
        ["nowhere.yaml", "expected a YAML file", "nothing there"],
    ),
    "train without a config": (lambda shop, folder: ["train"], ["config file", "--resume"]),
    "sft without a config": (lambda shop, folder: ["sft"], ["config file", "rlcs sft --help"]),
    "a package that is not installed": (
        train("tracking.trackio_project=x"),
        ["tracking.trackio_project", "trackio is not installed", "pip install 'rlcs[trackio]'"],
    ),
    "a verifier that does not import": (
        train("scoring.domains.checksum.verifier=nowhere:judge"),
        ["scoring", "cannot import", "nowhere:judge"],
    ),
    "a domain nobody judges": (train("scoring.domains.chess.pass_mark=1"), ["chess", "math"]),
    "a curriculum that needs graded problems": (
        train("curriculum={kind: static}"),
        ["curriculum", "offline pass rates", "grade the problems"],
    ),
    # the data
    "a missing data file": (train("data.train.0.path=nowhere.jsonl"), ["nowhere.jsonl", ".jsonl"]),
    "a broken JSON line": (
        rows(GOOD, '{"id": "b", "question": '),
        ["1 problem", "rows.jsonl:2", "broken JSON"],
    ),
    "a row without an answer": (
        rows(GOOD, {"id": "b", "question": "Calculate."}),
        ["rows.jsonl:2", "answer"],
    ),
    "duplicate ids": (rows(GOOD, GOOD), ["rows.jsonl:2", "'a' again", "rows.jsonl:1"]),
    "several bad rows": (
        rows("[]", GOOD, '"text"'),
        ["2 problems", "rows.jsonl:1", "rows.jsonl:3"],
    ),
    "a reference that fails its own verifier": (
        rows(GOOD, {**GOOD, "id": "b", "answer": "unreadable"}),
        ["1 problem in the references", "(b): ", "'unreadable'", "Correct these references"],
    ),
    "an empty file": (rows(), ["rows.jsonl", "expected rows, found none"]),
    "nothing left after filtering": (on_heldout, ["data.train", "none left", "data.heldout"]),
    "more groups than problems": (
        train("run.groups_per_step=100"),
        ["run.groups_per_step = 100", "39 problems", "Lower it, or add data"],
    ),
    "a prompt over its budget": (
        train("rollout.max_prompt_tokens=4"),
        ["max_prompt_tokens = 4", "Raise rollout.max_prompt_tokens"],
    ),
    # the model
    "a missing model folder": (missing_model, ["nowhere", "expected a model folder"]),
    "a model without a chat template": (
        model_without("chat_template.jinja"),
        ["chat template", "model"],
    ),
    "a model without a tokenizer": (model_without("token*"), ["tokenizer", "save_pretrained"]),
    # the run folder
    "a run folder that exists": (existing_run, ["exists already", "--resume", "run.name=OTHER"]),
    "resuming nothing": (resume_missing, ["nowhere", "no such folder"]),
    "resuming what is no run": (resume_other_folder, ["config.resolved.yaml", "none in it"]),
    "resuming before the first save": (resume(), ["no complete checkpoint", "Remove the folder"]),
    "resuming as another run": (
        resume("learner.learning_rate=0.5", "run.save_every=1"),
        ["learner.learning_rate: 0.001 -> 0.5", "new run", "May be changed", "run.save_every"],
    ),
    "resuming with another config file": (resume_with_config, ["run.seed: 0 -> 8"]),
    "a harmless change on resuming": (resume("run.save_every=1"), ["no complete checkpoint"]),
    # the other verbs
    "evaluating on nothing": (evaluate("data.heldout=[]"), ["data.heldout", "found none"]),
    "evaluating no model": (evaluate("--model", "HERE/nowhere"), ["expected a model folder"]),
    "a result into no folder": (
        evaluate("--json", "HERE/no/a.json"),
        ["--json", "found no folder"],
    ),
    "exporting nothing": (export_nothing, ["nowhere", "a run with a checkpoint"]),
    "exporting over a folder": (export_over, ["out", "exists already"]),
    "teaching over a folder": (sft([LESSON], existing=True), ["output folder", "exists already"]),
    "teaching without responses": (
        sft([{**LESSON, "response": None}]),
        ["rows.jsonl:1", "response"],
    ),
    "teaching what is too long": (sft([LESSON], "sft.max_tokens=4"), ["sft.max_tokens = 4"]),
}


@pytest.fixture(scope="module")
def workshop(make_workshop: Callable[[], Workshop]) -> Workshop:
    """One of its own: in that of all files there may be runs."""
    return make_workshop()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_with_one_message_and_nothing_written(
    mistake: str, workshop: Workshop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arrange, words = MISTAKES[mistake]
    arguments = arrange(workshop, tmp_path)
    before = contents(tmp_path)
    status = main(arguments)
    said = capfd.readouterr()
    assert status == 2, said
    check_message(said.err, words)
    assert said.out == ""
    assert contents(tmp_path) == before
    assert not (workshop.folder / "runs").exists() or "runs" not in said.err


@pytest.mark.long
@pytest.mark.parametrize("verb", ["train", "eval"])
def test_a_model_without_weights_is_refused_by_the_processes_that_load_it(
    verb: str, workshop: Workshop, tmp_path: Path
) -> None:
    model_without("model.safetensors")(workshop, tmp_path)
    before = contents(tmp_path)
    change = [f"run.folder={tmp_path}/runs", f"model.path={tmp_path}/model"]
    lines = workshop.refuse(verb, workshop.config, *change).splitlines()
    # What a machine tells before, a slow one more than a fast one.
    said = "\n".join(line for line in lines if not line.startswith(("starting 1 ", "… ")))
    check_message(said, [f"{tmp_path}/model", "cannot be loaded", "model.safetensors"])
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "mistake", ["train without a config", "a misspelt key", "a broken JSON line"]
)
def test_the_installed_command_says_the_same(
    mistake: str, workshop: Workshop, tmp_path: Path
) -> None:
    arrange, words = MISTAKES[mistake]
    command = [Path(sys.executable).with_name("rlcs"), *arrange(workshop, tmp_path)]
    before = contents(tmp_path)
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    check_message(done.stderr, words)
    assert done.stdout == ""
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "arguments", [[], ["teach"], ["train", "a.yaml", "--colour"], ["export", "a", "b", "c=d"]]
)
def test_a_mistyped_command_shows_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: rlcs" in capsys.readouterr().err


def check_message(stderr: str, words: list[str]) -> None:
    """One message of ours that holds all ``words``."""
    assert stderr.startswith("rlcs: error: "), stderr
    assert stderr.count("rlcs: error") == 1
    assert "Traceback" not in stderr
    assert [word for word in words if word not in stderr] == [], stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }
