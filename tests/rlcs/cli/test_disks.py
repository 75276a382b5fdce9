"""What each verb says of a disk that does not take what it writes: one message, status 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_disk import fill, make_read_only, once, small_disk
from workshop import Workshop, environment

from rlcs.cli.main import main

SIMULATE = ("simulate", "--world", "num_problems=50", "--completions", "200", "--seeds", "1")
FULL = "no space left on device"


def call(*arguments: object, out: str) -> subprocess.CompletedProcess[str]:
    """``rlcs ARGUMENTS`` in a process of its own, with ``out`` for its standard output."""
    with open(out, "w") as file:
        return subprocess.run(
            [sys.executable, "-m", "rlcs.cli", *map(str, arguments)],
            env=environment(),
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
        )


def test_a_full_disk_behind_the_standard_output() -> None:
    called = call("train", "--schema", out="/dev/full")
    assert called.returncode == 2
    (line,) = called.stderr.splitlines()
    assert line.startswith("rlcs: error: ")
    assert FULL in line


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_numbers_that_find_no_room(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SIMULATE, option, "/dev/full"]) == 2
    assert FULL in capsys.readouterr().err


def test_numbers_of_a_read_only_folder_are_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", kib=64) as disk:
        make_read_only(disk)
        assert main([*SIMULATE, "--json", str(disk / "numbers.json")]) == 2
    printed = capsys.readouterr()
    assert "read-only file system" in printed.err
    assert printed.out == ""


def test_verdicts_that_find_no_room_and_the_check_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"domain": "math", "response": "2", "reference": "2", "expected": True}] * 1000
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with small_disk(tmp_path / "disk", kib=200) as disk:
        assert main(["check", str(cases), "--out", str(disk / "verdicts.jsonl")]) == 2
        said = capsys.readouterr().err
        assert "verdicts.jsonl: No space left on device. What was judged before is kept" in said
        kept = tmp_path / "verdicts.jsonl"
        kept.write_bytes((disk / "verdicts.jsonl").read_bytes())
    main(["check", str(cases), "--out", str(kept)])
    keys = [json.loads(line)["key"] for line in kept.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 1000


def test_a_device_is_no_earlier_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To read it would never end."""
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps({"domain": "math", "response": "2", "reference": "2"}) + "\n")
    assert main(["check", str(cases), "--out", "/dev/full"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_an_export_that_finds_no_room(
    tiny_model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", kib=100) as disk:
        assert main(["export", tiny_model, str(disk / "out")]) == 2
        said = capsys.readouterr().err
        assert f"the model could not be written to {disk}/out: {FULL}; about 0.2 MiB" in said
        assert list(disk.iterdir()) == []


@pytest.mark.long
def test_a_doctor_sees_that_the_disk_is_too_small(workshop: Workshop, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib=1000) as disk:
        status, said = workshop._run(["doctor", workshop.config, f"run.folder={disk}"])
        assert list(disk.iterdir()) == []
    assert status == 1
    assert "a checkpoint needs about 0.8 MiB; at most 4 are there at a time" in said
    assert "problem: 4 checkpoints could not be written" in said


@pytest.mark.long
def test_a_grading_that_finds_no_room(workshop: Workshop, tmp_path: Path) -> None:
    run = yaml.safe_load(workshop.config.read_text())
    config = {
        "grade": {"folder": str(tmp_path / "disk"), "name": "g", "attempts": 2},
        "models": [{"name": "tiny", "path": str(workshop.model)}],
        "data": {"train": run["data"]["train"]},
        "rollout": {name: value for name, value in run["rollout"].items() if name != "group_size"},
        "scoring": run["scoring"],
        "hardware": run["hardware"],
    }
    config["grade"]["problems_per_piece"] = 4
    path = tmp_path / "grade.yaml"
    path.write_text(yaml.safe_dump(config))
    with small_disk(tmp_path / "disk", kib=4000) as disk:
        attempts = disk / "g" / "attempts" / "tiny"
        with once(lambda: len(list(attempts.glob("*.parquet"))) >= 2, lambda: fill(disk)):
            said = workshop.refuse("grade", path)
        last = said.splitlines()[-1]
        assert f"of tiny could not be written to {disk}/g: {FULL}" in last
        assert last.endswith("What was graded is kept: go on with the same command.")
        kept = len(list(attempts.glob("*.parquet")))
        assert kept >= 2
        (disk / "filler").unlink()
        assert f"going on with {disk}/g: {kept} of " in workshop.call("grade", path)
