"""A learner's state from somebody else loads, or is refused by one sentence; it never runs code."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from rlcs.errors import LearningError
from rlcs.learner.state_files import (
    StateReader,
    Stretch,
    Summary,
    write_stretches,
    write_summary,
)

SHAPES = {"model.one": (2, 3), "model.two": (5,)}


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


def numbers(name: str, kind: str) -> torch.Tensor:
    length = 6 if name == "model.one" else 5
    return torch.arange(length, dtype=torch.float32) + 100 * len(kind)


def write(folder: Path, cuts: dict[str, list[int]], steps: int = 3) -> None:
    """A state by two ranks that cut the parameters at ``cuts``."""
    kinds = ("weights", "exp_avg", "exp_avg_sq") if steps else ("weights",)
    for rank in (0, 1):
        stretches = []
        for name, (first, second) in cuts.items():
            start, stop = ((0, first), (first, second))[rank]
            if start < stop:
                parts = {kind: numbers(name, kind)[start:stop] for kind in kinds}
                stretches.append(Stretch(name=name, start=start, numbers=parts))
        write_stretches(folder, rank, stretches)
    write_summary(folder, Summary(steps=steps, shapes=SHAPES))


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param({"model.one": [2, 6], "model.two": [4, 5]}, id="both cut"),
        pytest.param({"model.one": [6, 6], "model.two": [0, 5]}, id="one each"),
    ],
)
@pytest.mark.parametrize("steps", [0, 3])
def test_any_part_is_read_however_it_was_cut(
    cuts: dict[str, list[int]], steps: int, tmp_path: Path
) -> None:
    write(tmp_path, cuts, steps)
    state = StateReader(tmp_path)
    assert state.summary == Summary(steps=steps, shapes=SHAPES)
    assert state.whole("model.one").tolist() == numbers("model.one", "weights").view(2, 3).tolist()
    for kind in ("weights", *(("exp_avg", "exp_avg_sq") if steps else ())):
        for start in range(6):
            for length in range(6 - start + 1):
                found = state.read(kind, "model.one", start, length)
                assert found.equal(numbers("model.one", kind)[start : start + length])


def test_files_are_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlcs.learner.state_files.MAX_FILE_BYTES", 30)
    write(tmp_path, {"model.one": [2, 6], "model.two": [4, 5]})
    assert len(list(tmp_path.glob("rank_00000_*.safetensors"))) > 2
    assert StateReader(tmp_path).whole("model.two").equal(numbers("model.two", "weights"))


@pytest.mark.parametrize(
    ("cuts", "expected"),
    [
        pytest.param({"model.one": [2, 6]}, "of 'model.two' in stretches", id="one is missing"),
        pytest.param(
            {"model.one": [2, 5], "model.two": [4, 5]}, r"\[\(0, 2\), \(2, 5\)\] of 6", id="an end"
        ),
    ],
)
def test_what_is_not_whole_is_refused(
    cuts: dict[str, list[int]], expected: str, tmp_path: Path
) -> None:
    write(tmp_path, cuts)
    with pytest.raises(LearningError, match=expected):
        StateReader(tmp_path)


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param({"weights/1/model.one": torch.zeros(2)}, id="numbers that are there twice"),
        pytest.param({"weights/0/model.three": torch.zeros(2)}, id="an unknown parameter"),
        pytest.param({"weights/-1/model.one": torch.zeros(2)}, id="a place before the first"),
        pytest.param({"weights/9/model.one": torch.zeros(2)}, id="a place behind the last"),
        pytest.param({"code/0/model.one": torch.zeros(2)}, id="an unknown kind"),
        pytest.param({"weights": torch.zeros(2)}, id="no place"),
        pytest.param({"weights/0/model.one": torch.zeros(2, 2)}, id="a matrix"),
        pytest.param({"weights/6/model.one": torch.zeros(0).half()}, id="another type"),
    ],
)
def test_one_more_tensor_is_refused(tensors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    write(tmp_path, {"model.one": [2, 6], "model.two": [4, 5]})
    save_file(tensors, tmp_path / "rank_00002_00000.safetensors")
    with pytest.raises(LearningError, match="expected the learner's weights and moments in"):
        StateReader(tmp_path)


@pytest.mark.parametrize(
    "summary",
    [
        *(None, [], {}, {"steps": 3}, {"steps": -1, "shapes": {}}, {"steps": True, "shapes": {}}),
        {"steps": 3, "shapes": {"a": 3}},
        {"steps": 3, "shapes": {"a": [2.0]}},
        {"steps": 3, "shapes": {"a": [-2, -3]}},
        {"steps": 3, "shapes": {"a": [2**41]}},
        {"steps": 3, "shapes": {"a": [1] * 9}},
        {"steps": 2**40, "shapes": SHAPES},
        {"steps": 3, "shapes": {**SHAPES, "model.three": [2**39]}},
    ],
)
def test_a_summary_of_another_form_is_refused(summary: Any, tmp_path: Path) -> None:
    write(tmp_path, {"model.one": [2, 6], "model.two": [4, 5]})
    (tmp_path / "state.json").write_text(json.dumps(summary))
    with pytest.raises(LearningError, match="expected the learner's weights and moments in"):
        StateReader(tmp_path)


def test_no_state_at_all(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="expected a learner state"):
        StateReader(tmp_path)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    write(tmp_path, {"model.one": [2, 6], "model.two": [4, 5]})
    for name in ("rank_00000_00000.safetensors", "mp_rank_00_model_states.pt"):
        torch.save({"module": Canary(canary)}, tmp_path / name)
    with pytest.raises(LearningError, match="found"):
        StateReader(tmp_path)
    assert not canary.exists()


def test_damage_anywhere_is_one_sentence(tmp_path: Path) -> None:
    randomly, refused = random.Random(0), 0
    write(tmp_path, {"model.one": [2, 6], "model.two": [4, 5]})
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(300):
        path, whole = randomly.choice(list(files.items()))
        damaged = bytearray(whole)
        damaged[randomly.randrange(min(len(whole), 300))] = randomly.randrange(256)
        path.write_bytes(bytes(damaged[: randomly.choice([len(whole), randomly.randrange(500)])]))
        try:
            state = StateReader(tmp_path)
            for name in state.summary.shapes:
                state.whole(name)
        except LearningError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017
        path.write_bytes(whole)
    assert refused > 100
