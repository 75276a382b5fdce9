"""Ranks in Ray actors: two learn what one learns, and a dead one is named."""

from __future__ import annotations

import dataclasses
import os
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray
import torch
from transformers import AutoModelForCausalLM

from rlcs.activity import listening
from rlcs.cluster.fetch import fetch
from rlcs.config import FaultsSection
from rlcs.data import Renderer
from rlcs.errors import EngineError, LearningError, LostProcessError
from rlcs.learner.actors import MOST_PARTS, Learner, part_ends
from rlcs.model.weights import Weights, to_array
from rlcs.types import Prompt, TrainingSample

pytestmark = pytest.mark.long

BUCKET_BYTES = 50_000
"""A few parameters of the tiny model."""


@pytest.fixture(scope="module")
def start(plan, make_settings) -> Iterator[Callable[..., Learner]]:
    """Starts two ranks afresh, always in the same two processes: importing is what takes long."""
    learner = Learner(make_settings(num_ranks=2), plan=plan)

    def start_ranks(*, micro_batch_tokens: int = 16384, **settings: Any) -> Learner:
        learner.settings = dataclasses.replace(
            make_settings(num_ranks=2, **settings), bucket_bytes=BUCKET_BYTES
        )
        learner.ranks = learner.settings.ranks.model_copy(
            update={"micro_batch_tokens": micro_batch_tokens}
        )
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
    transformers_engine,
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
    found = published(learner, transformers_engine)
    assert_close(found, expected)

    learner.load(str(tmp_path / "state"))
    assert learner.learn(batches[1], objective, **learn) == second
    assert_equal(published(learner, transformers_engine), found)

    learner.export(str(tmp_path / "model"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert model.dtype == torch.float32
    assert_equal({name: to_array(p) for name, p in model.named_parameters()}, found)


@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_text_and_pictures_mixed_on_two_ranks(
    zero_stage,
    start,
    make_rank,
    update,
    objective,
    tiny_glm,
    make_image,
    make_problem,
    assert_close,
) -> None:
    """One rank has a picture where the other has none, in every order."""
    renderer = Renderer.load(tiny_glm, max_prompt_tokens=500)
    draw = np.random.default_rng(0)
    samples = []
    for number in range(6):
        shown = [make_image(number)] if number % 3 == 0 else []
        prompt = renderer.render(make_problem(f"{number} + {number}?", *shown))
        for length in (4, 9):
            samples.append(
                TrainingSample(
                    token_ids=np.concatenate([prompt.token_ids, draw.integers(20, 300, length)]),
                    num_prompt_tokens=len(prompt.token_ids),
                    old_logprobs=np.full(length, -6.0, dtype=np.float32),
                    loss_mask=np.ones(length, dtype=bool),
                    advantage=float(draw.normal()),
                    images=prompt.images,
                )
            )
    alone = make_rank(model_path=tiny_glm)
    expected = update(alone, samples, objective, micro_batch_tokens=10**6)
    learner = start(zero_stage=zero_stage, model_path=tiny_glm, micro_batch_tokens=40)
    learn = {"loss": "per_sample", "learning_rate": learner.settings.optimiser.learning_rate}
    heard: list[str] = []
    with listening(lambda found: heard.extend(activity.text for activity in found)):
        report = learner.learn(samples, objective, **learn)
    told = re.fullmatch(r"micro-batch 1 of (\d+)", heard[0])
    assert told is not None
    assert int(told[1]) > 1
    assert heard[-1] == f"micro-batch {told[1]} of {told[1]}"
    assert report.loss == pytest.approx(expected.loss, rel=1e-5)
    assert report.grad_norm == pytest.approx(expected.grad_norm, rel=1e-5)
    publication = learner.publication(Prompt(problem_id="probe", token_ids=np.arange(11, 40)))
    found = {
        name: array
        for bucket in fetch(list(publication.buckets), waiting_for="the weights")
        for name, array in bucket.items()
    }
    assert_close(found, alone.weights())


def test_no_gradient_and_dead_ranks(start, objective, make_samples) -> None:
    learner = start()
    learn = {"loss": "per_sample", "learning_rate": 1e-4}
    with pytest.raises(LearningError, match=r"gradient of 4 samples .* is exactly zero") as caught:
        learner.learn(make_samples(4, advantage=0.0), objective, **learn)
    assert "frozen parameters" in str(caught.value)
    bad = make_samples(4, advantage=float("nan"))
    for _ in range(2):  # one in between that is made, and the count begins anew
        assert learner.learn(bad, objective, **learn).skipped
        assert learner.learn(bad, objective, **learn).skipped
        assert not learner.learn(make_samples(4), objective, **learn).skipped
    for _ in range(2):
        learner.learn(bad, objective, **learn)
    with pytest.raises(LearningError, match=r"the gradient of 3 updates in a row was not finite"):
        learner.learn(bad, objective, **learn)
    assert learner.learn(make_samples(4), objective, **learn).grad_norm > 0

    # Rank 0 waits for rank 1 when that dies: its own complaint must not hide the death.
    victim = psutil.Process(fetch(learner.actors[1].__ray_call__.remote(own_pid), waiting_for=""))
    victim.suspend()
    learner.faults = FaultsSection(learn_seconds=5)
    with pytest.raises(
        LostProcessError, match=r"waited 5 s for the learner ranks to learn"
    ) as late:
        learner.learn(make_samples(4), objective, **learn)
    assert "learner rank 0 (pid" in str(late.value)
    assert f"learner rank 1 (pid {victim.pid} on" in str(late.value)
    assert "(the process is stopped by a signal)" in str(late.value)
    learner.faults = FaultsSection()
    victim.resume()
    assert learner.learn(make_samples(4), objective, **learn).grad_norm > 0

    victim.suspend()
    threading.Timer(3, victim.kill).start()
    with pytest.raises(EngineError, match="the learner ranks to learn died") as caught:
        learner.learn(make_samples(4), objective, **learn)
    assert "rlcs train --resume" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(EngineError, match="the learner ranks to learn died"):
        learner.learn(make_samples(4), objective, **learn)


def published(learner: Learner, transformers_engine: Callable[..., Any]) -> Weights:
    """What engines get, checked as they check it."""
    publication = learner.publication(Prompt(problem_id="probe", token_ids=np.arange(11, 40)))
    buckets = fetch(list(publication.buckets), waiting_for="the weights")
    assert len(buckets) > 3, "the buckets were to be small"
    for bucket in buckets:
        assert len(bucket) == 1 or sum(array.nbytes for array in bucket.values()) <= BUCKET_BYTES
    weights = {name: array for bucket in buckets for name, array in bucket.items()}
    engine = transformers_engine(learner.settings.model_path)
    engine.load_weights(1, buckets, fetch(publication.probe, waiting_for="the probe"))
    return weights


def own_pid(_: object) -> int:
    return os.getpid()


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        pytest.param(1, [1], id="one"),
        pytest.param(4, [1, 2, 3, 4], id="few"),
        pytest.param(MOST_PARTS, list(range(1, MOST_PARTS + 1)), id="as many as parts"),
    ],
)
def test_an_update_is_handed_out_in_parts(number: int, ends: list[int]) -> None:
    assert part_ends(number) == ends


@pytest.mark.parametrize("number", [11, 25, 1000])
def test_parts_are_few_and_about_equal(number: int) -> None:
    ends = [0, *part_ends(number)]
    sizes = [end - first for first, end in pairwise(ends)]
    assert len(sizes) == MOST_PARTS
    assert ends[-1] == number
    assert max(sizes) - min(sizes) <= 1
