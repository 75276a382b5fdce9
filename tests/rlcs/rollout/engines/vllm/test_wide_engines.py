"""Engines of several workers, and weights that the learner brings to each of them by itself.

Two vLLM engines of two workers and a ZeRO-3 learner of two ranks, for the whole file. NCCL needs
GPUs: here vLLM's own messages are carried by its process group over TCP, and everything
but the broadcast is what runs on GPUs.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray
from transformers import AutoModelForCausalLM

from rlcs.cluster.faults import Fault
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import FaultsSection, OptimiserSection, RanksSection, TrainedSection, VllmSection
from rlcs.errors import EngineError
from rlcs.learner.actors import Learner
from rlcs.learner.losses import ImitationObjective
from rlcs.learner.rank_settings import rank_settings
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import EngineSettings
from rlcs.training.workers import Workers
from rlcs.types import Completion, Prompt, TrainingSample

pytestmark = pytest.mark.long

WIDTH = 2
ATOL = 2e-5
SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=20, max_answer_tokens=0)


@pytest.fixture(scope="module")
def model_path(
    make_tiny_model: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A tiny model with a head for each worker."""
    folder = tmp_path_factory.mktemp("models") / "wide"
    return make_tiny_model(folder, "--hidden", "64", "--layers", "2")


@pytest.fixture(scope="module")
def faults() -> list[Fault]:
    return []


@pytest.fixture(scope="module")
def workers(
    model_path: str,
    plan: ProcessPlan,
    faults: list[Fault],
    make_settings: Callable[..., EngineSettings],
) -> Iterator[Workers]:
    """Whose engines and ranks carry NCCL's messages without NCCL."""
    vllm = VllmSection(tensor_parallel_size=WIDTH, transfer="nccl", max_rows=16)
    rollouts = RolloutPool(
        make_settings(model_path, engine="vllm", vllm=vllm),
        num_actors=2,
        plan=plan,
        faults=FaultsSection(transfer_seconds=120.0),
        on_fault=faults.append,
    )
    learner = Learner(
        rank_settings(
            model_path=model_path,
            dtype="float32",
            seed=0,
            optimiser=OptimiserSection(learning_rate=3e-3),
            ranks=RanksSection(num_ranks=2, zero_stage=3),
            trained=TrainedSection(),
            plan=plan,
            bucket_bytes=40_000,
        ),
        plan=plan,
    )
    rollouts.wait_until_ready()
    learner.wait_until_ready()
    probe = Prompt(problem_id="probe", token_ids=np.arange(11, 60))
    started = Workers(rollouts=rollouts, learner=learner, probe=probe, vllm=vllm)
    carry_without_nccl_everywhere(started)
    yield started
    for actor in [*rollouts.actors, *learner.actors]:
        ray.kill(actor)


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    return [make_request(problem, 5 + 9 * problem, (problem, 7)) for problem in range(6)]


@pytest.fixture
def learn(workers: Workers, make_samples: Callable[..., list[TrainingSample]]) -> Callable:
    """Changes the learner's weights, by much more than the probe allows."""

    def take_step() -> None:
        workers.learner.learn(
            make_samples(8), ImitationObjective(), loss="per_sample", learning_rate=3e-3
        )

    return take_step


@pytest.fixture
def assert_drawn_by_the_learner(
    workers: Workers, full_logprobs: Callable[..., np.ndarray], tmp_path: Path
) -> Callable[..., None]:
    def check(requests: Sequence[GroupRequest], groups: Sequence[Sequence[Completion]]) -> None:
        workers.learner.export(str(tmp_path))
        model = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
        for request, group in zip(requests, groups, strict=True):
            for completion in group:
                expected = full_logprobs(model, request.prompt, completion)
                np.testing.assert_allclose(completion.logprobs, expected, atol=ATOL)

    return check


def test_workers_together_draw_what_the_model_says(
    workers, requests, assert_drawn_by_the_learner
) -> None:
    groups = workers.rollouts.generate(requests, SAMPLING)
    assert {len(c.token_ids) for group in groups for c in group} == {20}
    assert_drawn_by_the_learner(requests, groups)


def test_weights_come_by_the_host(workers, requests, learn, assert_drawn_by_the_learner) -> None:
    learn()
    rollouts = workers.rollouts
    rollouts.publish(rollouts.version + 1, workers.learner.publication(workers.probe))
    assert_drawn_by_the_learner(requests, rollouts.generate(requests, SAMPLING))


def test_the_learner_brings_weights_to_each_worker(
    workers, faults, requests, learn, assert_drawn_by_the_learner
) -> None:
    """A second time over the group that met at the first."""
    for _ in range(2):
        learn()
        workers.publish(workers.rollouts.version + 1)
        assert went_past_the_host(workers)
        groups = workers.rollouts.generate(requests, SAMPLING)
        assert versions_of(groups) == {workers.rollouts.version}
        assert_drawn_by_the_learner(requests, groups)
    assert faults == []


def test_nothing_is_drawn_while_weights_are_brought(
    workers, faults, requests, learn, assert_drawn_by_the_learner
) -> None:
    """Another thread generates all the while, as in the overlapped schedule."""
    many = [request for request in requests for _ in range(10)]
    before, groups = workers.rollouts.version, []
    thread = threading.Thread(
        target=lambda: groups.extend(workers.rollouts.generate(many, SAMPLING))
    )
    learn()
    thread.start()
    while not all(slot.held for slot in workers.rollouts.slots):
        time.sleep(0.01)
    workers.publish(before + 1)
    thread.join(120)
    assert versions_of(groups) == {before, before + 1}
    assert faults == []
    assert went_past_the_host(workers)
    newer = [
        (request, group)
        for request, group in zip(many, groups, strict=True)
        if versions_of([group]) == {before + 1}
    ]
    assert_drawn_by_the_learner(*zip(*newer, strict=True))


@pytest.mark.parametrize("transfer", ["nccl", "host"])
def test_engines_that_slept_are_given_weights_and_never_serve_lost_ones(
    workers, faults, requests, learn, assert_drawn_by_the_learner, transfer
) -> None:
    """As on GPUs that engines and ranks share; in between nothing is asked of them."""
    rollouts = workers.rollouts
    rollouts.sleep()
    rollouts.sleep()
    learn()
    if transfer == "nccl":
        workers.publish(rollouts.version + 1)
        assert went_past_the_host(workers)
    else:
        rollouts.publish(rollouts.version + 1, workers.learner.publication(workers.probe))
    assert_drawn_by_the_learner(requests, rollouts.generate(requests, SAMPLING))
    rollouts.sleep()
    assert [slot.asleep for slot in rollouts.slots] == [True, True]
    if transfer == "nccl":  # nobody has the version any more but the learner
        with pytest.raises(EngineError, match="Publish a version before"):
            rollouts.generate(requests, SAMPLING)
        workers.publish(rollouts.version + 1)
    assert_drawn_by_the_learner(requests, rollouts.generate(requests, SAMPLING))
    assert faults == []


def test_the_same_call_repeats_to_the_bit(workers, requests) -> None:
    """More rows than both hold at once: who samples what beside what depends on nothing else."""
    many = [
        GroupRequest(prompt=request.prompt, seeds=tuple(range(number, number + 8)))
        for number, request in enumerate(requests * 3)
    ]
    found = []
    for _ in range(2):
        publication = workers.learner.publication(workers.probe)  # nothing read is kept
        workers.rollouts.publish(workers.rollouts.version + 1, publication)
        found.append(workers.rollouts.generate(many, replace(SAMPLING, max_thinking_tokens=40)))
    for one, again in zip(*found, strict=True):
        for first, second in zip(one, again, strict=True):
            assert first.token_ids.tolist() == second.token_ids.tolist()
            assert first.logprobs.tobytes() == second.logprobs.tobytes()


@pytest.mark.stress
def test_a_transfer_that_fails_halfway_goes_by_the_host(
    workers, faults, requests, learn, assert_drawn_by_the_learner
) -> None:
    learn()
    ray.get(workers.rollouts.actors[1].__ray_call__.remote(refuse_once))
    workers.publish(workers.rollouts.version + 1)
    told = [fault.what for fault in faults]
    assert told[0] == f"version {workers.rollouts.version} did not go from GPU to GPU:"
    # Workers that were cut off in the middle answer out of turn: their engine is replaced.
    assert set(told[1:]) <= {"rollout actor 0 failed to load weights:"}
    assert "the cable is out" in faults[0].detail
    faults.clear()
    assert not went_past_the_host(workers)
    assert_drawn_by_the_learner(requests, workers.rollouts.generate(requests, SAMPLING))

    workers.rollouts.wait_until_ready()
    carry_without_nccl_everywhere(workers)
    learn()
    workers.publish(workers.rollouts.version + 1)
    assert went_past_the_host(workers), "they met again"
    assert_drawn_by_the_learner(requests, workers.rollouts.generate(requests, SAMPLING))
    assert faults == []


@pytest.mark.stress
def test_a_killed_engine_leaves_no_worker_and_comes_back(
    workers, faults, requests, learn, assert_drawn_by_the_learner
) -> None:
    """What it should serve passed the host by, so it waits for the next version."""
    rollouts = workers.rollouts
    learn()
    workers.publish(rollouts.version + 1)
    assert went_past_the_host(workers)
    engine = psutil.Process(ray.get(rollouts.actors[0].__ray_call__.remote(own_pid)))
    children = [child for child in engine.children(recursive=True) if child.is_running()]
    assert len(children) >= WIDTH
    engine.kill()
    assert_drawn_by_the_learner(requests, rollouts.generate(requests, SAMPLING))
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    assert [fault.what for fault in faults] == ["rollout actor 0 died:"]

    learn()
    workers.publish(rollouts.version + 1)
    assert not went_past_the_host(workers), "one is starting"
    rollouts.wait_until_ready()
    assert [slot.version for slot in rollouts.slots] == [rollouts.version] * 2
    assert_drawn_by_the_learner(requests, rollouts.generate(requests, SAMPLING))


def versions_of(groups: Sequence[Sequence[Completion]]) -> set[int]:
    return {completion.policy_version for group in groups for completion in group}


def went_past_the_host(workers: Workers) -> bool:
    return workers.rollouts._published.newest[1].buckets == ()


def own_pid(_: object) -> int:
    return os.getpid()


def carry_without_nccl_everywhere(workers: Workers) -> None:
    ranks, engines = workers.learner.actors, workers.rollouts.actors
    ray.get([actor.__ray_call__.remote(carry_without_nccl) for actor in ranks])
    ray.get([actor.__ray_call__.remote(carry_in_workers) for actor in engines])


def carry_in_workers(actor: Any) -> None:
    actor.engine.llm.collective_rpc(carry_without_nccl)


def carry_without_nccl(_: object) -> None:
    """vLLM's NCCL transfer in this process, with its broadcast replaced."""
    from vllm.distributed.utils import StatelessProcessGroup
    from vllm.distributed.weight_transfer import nccl_engine

    def meet(info: Any, rank: int) -> Any:
        group: Any = StatelessProcessGroup.create(
            host=info.master_address,
            port=info.master_port,
            rank=rank,
            world_size=info.world_size,
        )
        group.destroy = lambda: None
        return group

    def produce(*, iterator: Any, group: Any, **_: Any) -> None:
        for name, tensor in iterator:
            group.broadcast_obj((name, tensor.clone()), src=0)

    def consume(*, iterator: Any, group: Any, post_unpack_func: Any, **_: Any) -> None:
        for name, (shape, dtype) in iterator:
            sent_name, tensor = group.broadcast_obj(None, src=0)
            assert (sent_name, list(tensor.shape), tensor.dtype) == (name, list(shape), dtype)
            post_unpack_func([(name, tensor)])

    nccl_engine.open_trainer_endpoint = lambda info: meet(info, 0)
    nccl_engine.worker_init_process_group = lambda info, parallel: meet(
        info, parallel.rank + info.rank_offset
    )
    nccl_engine.packed_nccl_broadcast_producer = produce
    nccl_engine.packed_nccl_broadcast_consumer = consume


def refuse_once(actor: Any) -> None:
    transfer = actor.engine.transfer

    def refuse(method: str, *arguments: Any) -> None:
        if method == "update_weights":
            actor.engine.transfer = transfer
            raise EngineError("the cable is out.")
        transfer(method, *arguments)

    actor.engine.transfer = functools.partial(refuse)
