"""A real run's folder, damaged or made hostile: one message, no code, and the way on works."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from workshop import NUM_STEPS, Workshop, read_jsonl

from curricula.plain import pack, unpack
from rlcs.data import load_problems
from rlcs.errors import ResumeError
from rlcs.run.checkpoint import Checkpoints
from rlcs.run.folder import read_run_config
from rlcs.training.session import _load

pytestmark = pytest.mark.long

WRONG: list[Any] = [
    *(None, True, -5, 2**70, 0.5, float("nan"), "text", b"bytes", [], [1, [2]], {}, {"a": 1}),
    *({3: "x"}, np.zeros(0), np.zeros(2), np.array([-1, 10**12]), np.zeros((2, 2), np.int64)),
]


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


@pytest.fixture
def theirs(whole_run: Path, tmp_path: Path) -> Path:
    """A copy of the whole run, as a colleague hands it over."""
    return Path(shutil.copytree(whole_run, tmp_path / "theirs"))


def test_hostile_learner_files_run_nothing_and_the_older_checkpoint_goes_on(
    theirs: Path, workshop: Workshop, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    *_, older, latest = sorted(theirs.glob("checkpoints/step_*"))
    for file in latest.glob("learner/*.safetensors"):
        torch.save({"module": Canary(canary)}, file)
    more = f"run.num_steps={NUM_STEPS + 1}"
    said = workshop.refuse("train", "--resume", theirs, more)
    assert "is damaged: the learner's state: expected the learner's weights and moments in" in said
    assert f"{older.name}, is whole. Remove the folder {latest}" in said
    assert "Traceback" not in said
    assert not canary.exists()
    shutil.rmtree(latest)
    assert f"after step {int(older.name[5:])}" in workshop.call("train", "--resume", theirs, more)
    assert read_jsonl(theirs / "log" / "steps.jsonl")[-1]["step"] == NUM_STEPS + 1


def test_a_curriculums_state_with_another_value_is_damaged(
    theirs: Path, workshop: Workshop
) -> None:
    file = sorted(theirs.glob("checkpoints/step_*"))[-1] / "trainer.npz"
    plain = unpack(file.read_bytes())
    plain["curriculum"]["rng"]["state"] = 5
    file.write_bytes(pack(plain))
    said = workshop.refuse("train", "--resume", theirs, f"run.num_steps={NUM_STEPS + 1}")
    assert "is damaged: the curriculum's state: rng: expected the state of a PCG64" in said
    assert "Put the data back" not in said, "the data is not to blame"


def test_whatever_stands_anywhere_in_a_real_state_only_a_resume_error_comes_out(
    theirs: Path,
) -> None:
    config = read_run_config(theirs)
    problems = load_problems(config).train
    data: Any = SimpleNamespace(problems=problems)
    checkpoint = Checkpoints(theirs / "checkpoints", keep=1).latest()
    assert checkpoint is not None
    _load(config, data, checkpoint, reconcile=False)
    file = checkpoint / "trainer.npz"
    plain, randomly = unpack(file.read_bytes()), random.Random(0)
    every, refused = list(places(plain)), 0
    for number in range(300):
        file.write_bytes(pack(changed(plain, randomly.choice(every), randomly.choice(WRONG))))
        try:
            _load(config, data, checkpoint, reconcile=number % 2 == 0)
        except ResumeError:
            refused += 1
    assert refused > 200


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a state."""
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in items:
            yield from places(each, (*path, name))


def changed(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    other = copy.deepcopy(plain)
    here = other
    for name in path[:-1]:
        here = here[name]
    here[path[-1]] = value
    return other
