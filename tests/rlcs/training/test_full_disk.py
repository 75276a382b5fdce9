"""A disk that is full, read-only or gone: one message, a whole state before it, and the way on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from small_disk import fill, lose, make_read_only, once, small_disk
from workshop import NUM_STEPS, Workshop, assert_counts_add_up, num_lines, write_jsonl

pytestmark = pytest.mark.long

CHECKPOINT_KIB = 850
"""What a checkpoint of the workshop's model takes; a run keeps two."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Room for the run but for a third checkpoint beside two."""
    with small_disk(tmp_path / "disk", kib=2 * CHECKPOINT_KIB + 500) as mounted:
        yield mounted


def test_a_checkpoint_that_finds_no_room_and_the_run_that_goes_on(
    workshop: Workshop, whole_run: Path, disk: Path, tmp_path: Path
) -> None:
    said = workshop.refuse("train", workshop.config, f"run.folder={disk}")
    run = disk / "whole"
    (line,) = [line for line in said.splitlines() if line.startswith("rlcs: error")]
    assert f"the checkpoint of step 9 could not be written to {run}/checkpoints: no space" in line
    assert "about 0.8 MiB are needed, 0." in line
    assert f"The state of step_000006 is whole; go on from it: rlcs train --resume {run}" in line
    assert "Traceback" not in said
    kept = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert kept == ["best.json", "step_000003", "step_000006"], "half a checkpoint takes no room"

    roomier = tmp_path / "roomier"
    shutil.copytree(run, roomier)
    workshop.call("train", "--resume", roomier)
    assert_counts_add_up(roomier, NUM_STEPS)
    for path in sorted((whole_run / "rollouts").iterdir()):
        assert (roomier / "rollouts" / path.name).exists()
    weights = [run / "checkpoints" / "step_000009" / "model" for run in (whole_run, roomier)]
    first, second = ((folder / "model.safetensors").read_bytes() for folder in weights)
    assert first == second, "what the full disk did not take changes nothing"


@pytest.mark.parametrize(
    ("disturb", "expected"),
    [
        pytest.param(fill, "no space left on device", id="a log finds no room"),
        pytest.param(
            lambda disk: make_read_only(disk / "whole"),
            "read-only file system",
            id="a folder becomes read-only",
            marks=pytest.mark.stress,
        ),
        pytest.param(lose, "no such file or directory", id="a mount is lost"),
    ],
)
def test_a_log_that_cannot_be_written(
    workshop: Workshop, disk: Path, disturb: Callable[[Path], None], expected: str
) -> None:
    run = disk / "whole"
    log = run / "log" / "steps.jsonl"
    with once(lambda: num_lines(log) >= 4, lambda: disturb(disk)):
        said = workshop.refuse("train", workshop.config, f"run.folder={disk}")
    last = said.splitlines()[-1]
    assert last.startswith("rlcs: error: ")
    assert expected in last
    assert f"rlcs train --resume {run}" in last
    assert ("step_000003 is whole" in last) == (disturb is not lose)
    assert "Traceback" not in said


def test_a_run_that_would_find_no_room_does_not_start(workshop: Workshop, tmp_path: Path) -> None:
    with small_disk(tmp_path / "tiny", kib=400) as disk:
        said = workshop.refuse("train", workshop.config, f"run.folder={disk}")
        assert "a checkpoint could not be written" in said
        assert "about 0.8 MiB are needed, 0.4 MiB are free" in said
        assert list(disk.iterdir()) == [], "nothing is half-written"


def test_a_model_of_the_cold_start_that_finds_no_room(workshop: Workshop, tmp_path: Path) -> None:
    with small_disk(tmp_path / "tiny", kib=100) as disk:
        said = workshop.refuse("sft", sft_config(workshop, tmp_path, disk))
        assert "the model could not be written" in said
        assert list(disk.iterdir()) == []
    with small_disk(tmp_path / "tiny", kib=205) as disk:  # the weights alone, as they are now
        said = workshop.refuse("sft", sft_config(workshop, tmp_path, disk))
        assert f"the model could not be written to {disk}/taught: no space left" in said
        assert "Traceback" not in said
        assert list(disk.iterdir()) == []


def sft_config(workshop: Workshop, folder: Path, disk: Path) -> Path:
    rows = [{"question": "1 + 1?", "answer": "2", "solution": "2"}] * 4
    write_jsonl(folder / "solutions.jsonl", rows)
    columns = {"question": "question", "reference": "answer", "response": "solution"}
    source = {"path": str(folder / "solutions.jsonl"), "columns": columns}
    config = {
        "output": str(disk / "taught"),
        "model": {"path": str(workshop.model)},
        "data": {"train": [source]},
        "hardware": {"device": "cpu", "threads_per_process": 1},
    }
    (folder / "sft.yaml").write_text(yaml.safe_dump(config))
    return folder / "sft.yaml"
