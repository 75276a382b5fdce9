"""Ranks in Ray actors: two learn what one learns, and a dead one is named."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import ray
import torch
from transformers import AutoModelForCausalLM

from rlcs.cluster import fetch
from rlcs.errors import EngineError, LearningError
from rlcs.learner.actors import Learner
from rlcs.weights import to_array

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def start(plan, make_settings) -> Iterator[Callable[..., Learner]]:
    """Starts two ranks afresh, always in the same two processes: importing is what takes long."""
    learner = Learner(make_settings(num_ranks=2), plan=plan)

    def start_ranks(**settings: int) -> Learner:
        learner.settings = make_settings(num_ranks=2, **settings)
        learner.wait_until_ready()
        return learner

    yield start_ranks
    for actor in learner.actors:
        ray.kill(actor)


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_two_ranks_learn_what_one_learns(
    zero_stage,
    start,
    plain_learner,
    objective,
    make_samples,
    assert_close,
    assert_equal,
    tmp_path: Path,
) -> None:
    batches = [
        make_samples(11, seed=1, group_size=4),
        make_samples(3, seed=2, advantage=-30.0),
    ]
    expected, expected_reports = plain_learner(batches, objective, "per_sample")
    learner = start(zero_stage=zero_stage)
    learn = {"loss": "per_sample", "learning_rate": learner.settings.optimiser.learning_rate}
    first = learner.learn(batches[0], objective, **learn)
    learner.save(str(tmp_path / "state"))
    second = learner.learn(batches[1], objective, **learn)
    for report, wanted, batch in zip((first, second), expected_reports, batches, strict=True):
        assert report.loss == pytest.approx(wanted["loss"], rel=1e-5)
        assert report.grad_norm == pytest.approx(wanted["grad_norm"], rel=1e-4)
        assert report.num_samples == len(batch)
        assert report.num_loss_tokens == sum(sample.num_loss_tokens for sample in batch)
    found = fetch(learner.weights(), waiting_for="the weights")
    assert_close(found, expected)

    learner.load(str(tmp_path / "state"))
    assert learner.learn(batches[1], objective, **learn) == second
    assert_equal(fetch(learner.weights(), waiting_for="the weights"), found)

    learner.export(str(tmp_path / "model"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert model.dtype == torch.float32
    assert_equal({name: to_array(p) for name, p in model.named_parameters()}, found)


def test_no_gradient_and_dead_ranks(start, objective, make_samples) -> None:
    learner = start()
    learn = {"loss": "per_sample", "learning_rate": 1e-4}
    with pytest.raises(LearningError, match=r"gradient of 4 samples .* is exactly zero") as caught:
        learner.learn(make_samples(4, advantage=0.0), objective, **learn)
    assert "frozen parameters" in str(caught.value)
    with pytest.raises(LearningError, match="the loss of this update is nan"):
        learner.learn(make_samples(4, advantage=float("nan")), objective, **learn)
    assert learner.learn(make_samples(4), objective, **learn).grad_norm > 0

    # Rank 0 waits for rank 1 when that dies: its own complaint must not hide the death.
    victim = psutil.Process(fetch(learner.actors[1].__ray_call__.remote(own_pid), waiting_for=""))
    victim.suspend()
    threading.Timer(3, victim.kill).start()
    with pytest.raises(EngineError, match="the learner ranks to learn died") as caught:
        learner.learn(make_samples(4), objective, **learn)
    assert "rlcs train --resume" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(EngineError, match="the learner ranks to learn died"):
        learner.learn(make_samples(4), objective, **learn)


def own_pid(_: object) -> int:
    return os.getpid()
