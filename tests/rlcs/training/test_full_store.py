"""A node without room for what passes between workers: it is waited for, then said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import ray
from ray.cluster_utils import Cluster

from rlcs.cluster.faults import Fault
from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import HardwareSection, OptimiserSection, RanksSection, TrainedSection, VllmSection
from rlcs.errors import StoreFullError
from rlcs.learner.actors import Learner
from rlcs.learner.rank_settings import rank_settings
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import EngineSettings
from rlcs.training.workers import Workers
from rlcs.types import Prompt

pytestmark = pytest.mark.long

SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=3, max_answer_tokens=1)


@pytest.fixture
def faults() -> list[Fault]:
    return []


@pytest.fixture
def workers(
    tiny_model: str, faults: list[Fault], make_settings: Callable[..., EngineSettings]
) -> Iterator[Workers]:
    """An engine and a rank on a node whose store is small and may not use the disk."""
    ray.shutdown()
    full = {"automatic_object_spilling_enabled": False, "local_fs_capacity_threshold": 1e-4}
    head = {"num_cpus": 2, "object_store_memory": 80 * 2**20, "_system_config": full}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    hardware = HardwareSection(device="cpu", threads_per_process=1, ray_address=cluster.address)
    plan = start_cluster(hardware, Needs(num_engines=1, num_ranks=1))
    engine = make_settings(
        tiny_model,
        engine="transformers",
        batch_tokens=100_000,
        eos_token_ids=(1,),
        max_row_tokens=100,
    )
    rollouts = RolloutPool(engine, num_actors=1, plan=plan, on_fault=faults.append)
    settings = rank_settings(
        model_path=tiny_model,
        dtype="float32",
        seed=0,
        optimiser=OptimiserSection(),
        ranks=RanksSection(),
        trained=TrainedSection(),
        plan=plan,
    )
    learner = Learner(settings, plan=plan)
    learner.wait_until_ready()
    rollouts.wait_until_ready()
    probe = Prompt(problem_id="probe", token_ids=np.arange(5))
    yield Workers(rollouts=rollouts, learner=learner, probe=probe, vllm=VllmSection())
    stop_cluster()
    cluster.shutdown()


def fill() -> list[ray.ObjectRef]:
    """Take all the room there is; it is free again when the list is cleared.

    What was dropped before is freed a moment later: so it looks again until nothing is left.
    """
    taken: list[ray.ObjectRef] = []
    num_before = -1
    while len(taken) > num_before:
        num_before = len(taken)
        for size in (2**20, 2**17):
            try:
                while True:
                    taken.append(ray.put(np.zeros(size, dtype=np.uint8)))
            except ray.exceptions.OutOfDiskError:
                continue
        time.sleep(1.0)
    return taken


def test_a_full_store(
    workers: Workers, faults: list[Fault], make_request: Callable[..., GroupRequest]
) -> None:
    large = [make_request(1, 5, tuple(range(600)))]  # its completions do not fit in a message
    taken = fill()
    threading.Timer(3.0, taken.clear).start()
    workers.publish(1)
    assert faults[0].what == "version 1 was not published:"
    assert "object store of a node is full" in faults[0].detail
    faults.clear()

    taken = fill()
    threading.Timer(3.0, taken.clear).start()
    (group,) = workers.rollouts.generate(large, SAMPLING)
    assert len(group) == 600
    assert {completion.policy_version for completion in group} == {1}
    assert faults[0].what == "completions were lost:"
    assert faults[0].problem_ids == ("problem 1",)
    assert workers.rollouts.num_replaced == 0

    taken = fill()
    faults.clear()
    workers.publish(2)  # the version before makes room for it, at once or at the second try
    assert {fault.what for fault in faults} <= {"version 2 was not published:"}
    (small,) = workers.rollouts.generate([make_request(2, 5, (1,))], SAMPLING)
    assert small[0].policy_version == 2
    with pytest.raises(StoreFullError, match="ray memory"):
        workers.rollouts.generate(large, SAMPLING)
    huge = Prompt(problem_id="huge", token_ids=np.arange(100_000))  # more than fits in a message
    with pytest.raises(StoreFullError, match="handing out work"):
        workers.rollouts.generate([GroupRequest(prompt=huge, seeds=(1,))], SAMPLING)
    taken.clear()
