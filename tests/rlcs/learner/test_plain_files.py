"""A learner's state from somebody else loads, or is refused; it never runs code."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcs.errors import LearningError
from rlcs.learner.plain_files import load_plainly


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_every_file_of_a_state_loads_plainly_and_none_as_code(
    zero_stage: int,
    dtype: str,
    make_rank: Callable[..., Any],
    objective: Any,
    update: Callable[..., Any],
    make_samples: Callable[..., Any],
    assert_equal: Callable[..., None],
    tmp_path: Path,
) -> None:
    """The real files of each stage load; with a pickle in any of them, nothing of it runs."""
    rank = make_rank(zero_stage=zero_stage, dtype=dtype)
    update(rank, make_samples(5), objective)
    rank.save(str(tmp_path))
    weights = rank.weights()
    other = make_rank(zero_stage=zero_stage, dtype=dtype)
    other.load(str(tmp_path))
    assert_equal(other.weights(), weights)
    canary = tmp_path / "canary"
    files = sorted((tmp_path / "state").glob("*.pt"))
    assert files
    for file in files:
        whole = file.read_bytes()
        torch.save({"module": Canary(canary)}, file)
        with pytest.raises(
            LearningError, match=r"run code when it is loaded.*nothing of it was run"
        ):
            other.load(str(tmp_path))
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(LearningError, match="damaged file"):
            other.load(str(tmp_path))
        torch.save({"module": 3, "optimizer": [3]}, file)
        with pytest.raises(LearningError, match="none that DeepSpeed can read"):
            other.load(str(tmp_path))
        file.write_bytes(whole)
    assert not canary.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_hostile_file_runs_nothing_in_either_of_torchs_formats(
    tmp_path: Path, zipped: bool
) -> None:
    file, canary = tmp_path / "state.pt", tmp_path / "canary"
    torch.save(
        {"weights": torch.zeros(2), "more": [Canary(canary)]},
        file,
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(LearningError) as refused:
        load_plainly(str(file))
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value), "one sentence, not a page of torch's"
    assert not canary.exists()


def test_damage_anywhere_is_one_sentence(tmp_path: Path) -> None:
    file, randomly = tmp_path / "state.pt", random.Random(0)
    torch.save({"weights": torch.arange(20.0), "step": 3, "names": ["a", "b"]}, file)
    whole = file.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[randomly.randrange(len(whole))] = randomly.randrange(256)
        file.write_bytes(bytes(damaged[: randomly.choice([len(whole), randomly.randrange(2000)])]))
        try:
            load_plainly(str(file))
        except LearningError as error:
            assert "\n" not in str(error)  # noqa: PT017
