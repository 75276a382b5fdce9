"""The command line before any verb does its work: help, schemas, and what is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from rlcs.cli.main import main
from rlcs.config import RunConfig, SftConfig

VERBS = ("train", "sft", "grade", "eval", "simulate", "export", "runs", "show")
HEAVY = ("torch", "ray", "transformers", "datasets", "deepspeed", "pydantic", "numpy", "yaml")


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def help_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def test_the_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of([], capsys)
    assert "usage: rlcs" in shown
    for verb in VERBS:
        assert f"\n    {verb} " in shown


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of([verb], capsys)
    assert f"usage: rlcs {verb}" in shown
    assert f"examples:\n  rlcs {verb} " in shown


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    from rlcs import __version__

    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"rlcs {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    loaded = run_python(
        "import sys; from rlcs.cli.main import build_parser; build_parser().format_help(); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == "[]\n"


@pytest.mark.parametrize(("verb", "kind"), [("train", RunConfig), ("sft", SftConfig)])
def test_the_schema_is_valid_json_schema(
    verb: str, kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(schema["properties"]) == set(kind.model_fields)
    assert schema["additionalProperties"] is False
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    good = {"output": "out", "model": {"path": "m"}, "data": {"train": [{"path": "a.jsonl"}]}}
    if verb == "train":
        del good["output"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "colour": "red"})


def test_overrides_may_stand_after_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "nowhere.yaml", "--resume", "nowhere", "run.seed=1", "run.name=x"]
    assert main(arguments) == 2
    assert "expected a run folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "seed"])
    assert "unrecognized arguments" in capsys.readouterr().err
