"""A state goes on, moments included, on another number of ranks and in another ZeRO stage."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from safetensors.torch import load_file, save_file

from rlcs.cluster.fetch import fetch
from rlcs.config import LoraSection, ModelSection
from rlcs.errors import LearningError
from rlcs.learner.actors import Learner
from rlcs.learner.export import export_state
from rlcs.model.weights import Weights
from rlcs.run.disk import model_bytes, state_bytes
from rlcs.types import Prompt

LORA = LoraSection(rank=4, targets=["q_proj", "down_proj"])
LEARN: dict[str, Any] = {"loss": "per_sample", "learning_rate": 1e-3}


def assert_same(found: Weights, expected: Weights) -> None:
    """Equal but for the order in which gradients were summed."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-6, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("first", "second"), [pair for pair in itertools.permutations(range(4), 2) if 2 not in pair]
)
def test_another_stage_goes_on(
    first, second, dtype, make_rank, update, objective, make_samples, tmp_path: Path
) -> None:
    """In bfloat16 the stages round gradients differently: there the masters must be the same."""
    saved, other = (
        make_rank(zero_stage=stage, dtype=dtype, weight_decay=0.0) for stage in (first, second)
    )
    for seed in (1, 2):
        update(saved, make_samples(6, seed=seed), objective, learning_rate=1e-3)
    saved.save(str(tmp_path))
    other.load(str(tmp_path))
    again = tmp_path / "again"
    other.save(str(again))
    (one,), (two,) = ([*folder.glob("*.safetensors")] for folder in (tmp_path, again))
    one, two = load_file(one), load_file(two)
    assert one.keys() == two.keys()
    assert all(one[key].equal(two[key]) for key in one)
    assert (again / "state.json").read_bytes() == (tmp_path / "state.json").read_bytes()
    for rank in (saved, other):
        update(rank, make_samples(6, seed=3), objective, learning_rate=1e-3)
    if dtype == "float32":
        assert_same(other.weights(), saved.weights())


def test_the_state_of_another_model_is_refused(make_rank, tmp_path: Path) -> None:
    make_rank(lora=LORA).save(str(tmp_path))
    before = make_rank().weights()
    other = make_rank()
    with pytest.raises(LearningError, match=r"expected the state of \d+ trained parameters"):
        other.load(str(tmp_path))
    assert all((other.weights()[name] == before[name]).all() for name in before)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("trained", ["all", "language", "adapters"])
def test_a_model_is_exported_from_the_files_as_by_a_rank(
    trained, dtype, make_rank, update, objective, make_samples, tiny_glm, tmp_path: Path
) -> None:
    options = {"lora": LORA} if trained == "adapters" else {"train": trained}
    rank = make_rank(model_path=tiny_glm, zero_stage=3, dtype=dtype, **options)
    update(rank, make_samples(5), objective, learning_rate=1e-2)
    rank.save(str(tmp_path / "state"))
    rank.export(str(tmp_path / "by_rank"))
    section = ModelSection(path=tiny_glm, dtype=dtype)
    (tmp_path / "by_files").mkdir()
    export_state(tmp_path / "state", tmp_path / "by_files", section, rank.settings.trained)
    for path in (tmp_path / "by_rank").iterdir():
        assert (tmp_path / "by_files" / path.name).read_bytes() == path.read_bytes(), path.name
    for part, planned in (
        ("state", state_bytes(section, rank.settings.trained)),
        ("by_files", model_bytes(section)),
    ):
        found = sum(path.stat().st_size for path in tmp_path.glob(f"{part}/*.safetensors"))
        assert planned <= found <= planned + 150 * 3 * len(rank.weights()), "but for the heads"
    untrained = load_file(Path(tiny_glm) / "model.safetensors")
    exported = load_file(tmp_path / "by_files" / "model.safetensors")
    assert any(not exported[name].equal(untrained[name].to(exported[name])) for name in exported)


@pytest.fixture(scope="module")
def start(plan, make_settings) -> Iterator[Callable[..., Learner]]:
    """Starts one or two ranks afresh, always in the same processes."""
    learners = {number: Learner(make_settings(num_ranks=number), plan=plan) for number in (1, 2)}

    def start_ranks(number: int, **settings: Any) -> Learner:
        learner = learners[number]
        learner.settings = dataclasses.replace(
            make_settings(num_ranks=number, weight_decay=0.0, **settings)
        )
        learner.wait_until_ready()
        return learner

    yield start_ranks
    for learner in learners.values():
        for actor in learner.actors:
            ray.kill(actor)


@pytest.mark.long
@pytest.mark.parametrize(
    ("saving", "loading"), [pytest.param(2, 1, id="2 to 1"), pytest.param(1, 2, id="1 to 2")]
)
@pytest.mark.parametrize(
    ("stage", "other_stage", "lora"),
    [(0, 0, None), (1, 1, None), (2, 2, None), (3, 3, None), (2, 3, None), (3, 2, LORA)],
)
def test_another_number_of_ranks_goes_on(
    saving, loading, stage, other_stage, lora, start, objective, make_samples, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    learner = start(saving, zero_stage=stage, lora=lora)
    for seed in (1, 2):
        learner.learn(make_samples(8, seed=seed), objective, **LEARN)
    learner.save(str(state))
    learner.learn(make_samples(8, seed=3), objective, **LEARN)
    expected = published(learner)

    other = start(loading, zero_stage=other_stage, lora=lora)
    other.load(str(state))
    other.learn(make_samples(8, seed=3), objective, **LEARN)
    assert_same(published(other), expected)

    lose_moments(state)
    other.load(str(state))
    other.learn(make_samples(8, seed=3), objective, **LEARN)
    with pytest.raises(AssertionError):
        assert_same(published(other), expected)


def lose_moments(state: Path) -> None:
    """Make it a state without moments, as it is before the first step."""
    summary = json.loads((state / "state.json").read_text())
    (state / "state.json").write_text(json.dumps({**summary, "steps": 0}))
    for path in state.glob("*.safetensors"):
        kept = {key: value for key, value in load_file(path).items() if key[:7] == "weights"}
        save_file(kept, path)


def published(learner: Learner) -> Weights:
    publication = learner.publication(Prompt(problem_id="probe", token_ids=np.arange(11, 40)))
    return {
        name: array.copy()
        for bucket in fetch(list(publication.buckets), waiting_for="the weights")
        for name, array in bucket.items()
    }
