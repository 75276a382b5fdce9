"""Engines in Ray actors: many sample what one samples, whatever happens to some of them."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray

from rlcs.activity import listening
from rlcs.cluster.faults import Fault
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import FaultsSection
from rlcs.errors import EngineError, LostProcessError, ModelError
from rlcs.model.weights import Publication, Weights, to_array
from rlcs.rollout.actors import make_engine
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Completion

pytestmark = pytest.mark.long

GRACE_SECONDS = 12.0
SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=20, max_answer_tokens=5, force_answer="</think><answer>"
)


@pytest.fixture(scope="module")
def settings(tiny_model: str, make_settings: Callable[..., EngineSettings]) -> EngineSettings:
    return make_settings(
        tiny_model,
        engine="transformers",
        batch_tokens=1000,
        eos_token_ids=tuple(range(1, 400, 12)),
        max_row_tokens=100,
    )


def published(weights: Weights) -> Publication:
    """All of them in one bucket."""
    return Publication(buckets=(ray.put(weights),))


@pytest.fixture(scope="module")
def faults() -> list[Fault]:
    return []


@pytest.fixture(scope="module")
def shared_pool(
    settings: EngineSettings, plan: ProcessPlan, faults: list[Fault]
) -> Iterator[RolloutPool]:
    limits = FaultsSection(
        grace_seconds=GRACE_SECONDS, min_tokens_per_second=1e6, transfer_seconds=20.0
    )
    pool = RolloutPool(settings, num_actors=2, plan=plan, faults=limits, on_fault=faults.append)
    pool.wait_until_ready()
    yield pool
    for actor in pool.actors:
        ray.kill(actor)


@pytest.fixture
def pool(shared_pool: RolloutPool, faults: list[Fault], weights: Weights) -> RolloutPool:
    """Two actors that are well, and no faults noted so far."""
    shared_pool.publish(shared_pool.version + 1, published(weights))
    shared_pool.wait_until_ready()
    faults.clear()
    return shared_pool


@pytest.fixture(scope="module")
def weights(settings: EngineSettings) -> Weights:
    """What the engines hold from the start."""
    named = make_engine(settings).model.named_parameters()
    return {name: to_array(parameter) for name, parameter in named}


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    return [make_request(problem, 3 + 7 * problem % 11, (problem, 9)) for problem in range(5)]


@pytest.fixture(scope="module")
def expected(settings, requests) -> list[tuple[Completion, ...]]:
    return make_engine(settings).generate(requests, SAMPLING)


def process_of(pool: RolloutPool, number: int) -> psutil.Process:
    return psutil.Process(ray.get(pool.actors[number].__ray_call__.remote(own_pid)))


def own_pid(_: object) -> int:
    return os.getpid()


def versions_of(groups: Sequence[Sequence[Completion]]) -> set[int]:
    return {completion.policy_version for group in groups for completion in group}


def assert_same(
    groups: Sequence[Sequence[Completion]], expected: Sequence[Sequence[Completion]]
) -> None:
    for group, wanted in zip(groups, expected, strict=True):
        for one, other in zip(group, wanted, strict=True):
            assert one.problem_id == other.problem_id
            assert one.token_ids.tolist() == other.token_ids.tolist()
            np.testing.assert_allclose(one.logprobs, other.logprobs, atol=2e-5)


def test_two_engines_draw_what_one_draws(pool, requests, expected) -> None:
    heard: list[str] = []
    with listening(lambda found: heard.extend(activity.text for activity in found)):
        assert_same(pool.generate(requests, SAMPLING), expected)
    assert (heard[0], heard[-1]) == ("0 of 10 completions", "10 of 10 completions")
    assert pool.timing.num_work_items >= 2, "both have work"
    assert 0 <= pool.timing.idle_share < 1


def test_fewer_requests_than_engines(pool, requests) -> None:
    assert pool.generate([], SAMPLING) == []
    (group,) = pool.generate(requests[:1], SAMPLING)
    assert [completion.problem_id for completion in group] == [requests[0].prompt.problem_id] * 2


def test_killed_actors_are_replaced_and_nothing_changes(pool, faults, requests, expected) -> None:
    """One is killed while it waits, one in the middle of its work."""
    waiting, working = process_of(pool, 1), process_of(pool, 0)
    waiting.kill()
    waiting.wait(10)
    working.suspend()
    threading.Timer(2.0, working.kill).start()
    assert_same(pool.generate(requests, SAMPLING), expected)
    assert {(fault.what, fault.pid) for fault in faults} == {
        ("rollout actor 0 died:", working.pid),
        ("rollout actor 1 died:", waiting.pid),
    }
    lost = [problem for fault in faults for problem in fault.problem_ids]
    assert len(set(lost)) == len(lost) > 0


def test_actors_that_stop_answering_are_named_with_their_stacks(
    pool, faults, requests, expected
) -> None:
    ray.get(pool.actors[0].__ray_call__.remote(hang_in_generate))
    process_of(pool, 1).suspend()
    assert_same(pool.generate(requests, SAMPLING), expected)
    hung, stopped = sorted(faults, key=lambda fault: fault.what)
    assert hung.what == "rollout actor 0 stopped answering:"
    assert f"waited {GRACE_SECONDS:.0f} s for it to generate" in hung.detail
    assert "sleep_for_ever" in hung.stack
    assert hung.problem_ids[0] in str(hung)
    assert stopped.what == "rollout actor 1 stopped answering:"
    assert "stopped by a signal" in stopped.stack
    assert not set(hung.problem_ids) & set(stopped.problem_ids)


def test_transfers_that_fail_halfway(pool, faults, requests, weights, expected) -> None:
    """One actor fails in the middle of a load, then the other dies in one."""
    ray.get(pool.actors[1].__ray_call__.remote(fail_in_loads))
    pool.publish(pool.version + 1, published(weights))
    (fault,) = faults
    assert fault.what == "rollout actor 1 failed to load weights:"
    assert "the cable is out" in fault.detail
    groups = pool.generate(requests, SAMPLING)
    assert_same(groups, expected)
    assert versions_of(groups) == {pool.version}

    faults.clear()
    victim = process_of(pool, 0)
    victim.suspend()
    threading.Timer(0.5, victim.kill).start()
    pool.publish(pool.version + 1, published(weights))
    assert [fault.what for fault in faults] == ["rollout actor 0 died:"]
    groups = pool.generate(requests, SAMPLING)
    assert_same(groups, expected)
    assert versions_of(groups) == {pool.version}


def test_a_slot_that_is_given_up_is_told_of_once(
    pool, faults, requests, weights, expected, monkeypatch
) -> None:
    monkeypatch.setattr("rlcs.rollout.mending.SLOT_ATTEMPTS", 1)
    ray.get(pool.actors[1].__ray_call__.remote(fail_in_loads))
    pool.publish(pool.version + 1, published(weights))
    for _ in range(2):
        assert_same(pool.generate(requests, SAMPLING), expected)
    assert [fault.what for fault in faults] == ["rollout actor 1 failed to load weights:"]
    pool.publish(pool.version + 1, published(weights))
    pool.wait_until_ready()
    assert pool.slots[1].given_up_at is None


def test_an_answer_that_nobody_fetched_in_time_is_an_answer(pool, faults, requests) -> None:
    """The trainer was busy elsewhere."""
    for slot in pool.slots:
        slot.load(*pool._published.newest, allowed_seconds=0.5)
    time.sleep(2.0)
    pool.wait_until_ready()
    assert faults == []
    assert [slot.version for slot in pool.slots] == [pool.version] * 2


def test_weights_that_fit_no_engine_are_refused_and_the_next_are_taken(
    pool, requests, weights, expected
) -> None:
    broken = {name: array[:1] for name, array in weights.items()}
    with pytest.raises(EngineError, match="expects shape"):
        pool.publish(pool.version + 1, published(broken))
    with pytest.raises(EngineError, match="expects shape"):
        pool.generate(requests, SAMPLING)  # nothing is served meanwhile
    pool.publish(pool.version + 1, published(weights))
    assert_same(pool.generate(requests, SAMPLING), expected)


def test_a_learner_that_makes_no_weights_is_lost_and_not_the_engines(
    pool, faults, monkeypatch
) -> None:
    monkeypatch.setattr(pool._driver, "limits", FaultsSection(transfer_seconds=4.0))
    never = ray.remote(sleep_for_ever).options(num_cpus=0).remote()
    with pytest.raises(LostProcessError, match="waited 4 s for the learner to make a bucket"):
        pool.publish(pool.version + 1, Publication(buckets=(never,)))
    ray.cancel(never, force=True)
    assert faults == []


def test_work_that_no_actor_survives_ends_and_names_the_problems(
    pool, requests, monkeypatch
) -> None:
    deadly = GroupRequest(prompt=dataclasses.replace(requests[0].prompt), seeds=(POISON,))
    ray.get([actor.__ray_call__.remote(die_of_poison) for actor in pool.actors])
    monkeypatch.setattr(pool._mender, "limits", FaultsSection(attempts=1))
    with pytest.raises(EngineError, match=r"rollout actor \d died") as caught:
        pool.generate([deadly], SAMPLING)
    assert requests[0].prompt.problem_id in str(caught.value)
    assert "rlcs train --resume" in str(caught.value)


def test_a_version_published_while_actors_work(pool, requests, weights) -> None:
    """Work items that are being worked on keep their version; later ones are of the new."""
    groups: list[tuple[Completion, ...]] = []
    before = pool.version
    many = [request for request in requests for _ in range(4)]  # more than both hold at once
    thread = threading.Thread(target=lambda: groups.extend(pool.generate(many, SAMPLING)))
    for actor in pool.actors:
        ray.get(actor.__ray_call__.remote(wait_before_generating))
    thread.start()
    time.sleep(0.5)
    pool.publish(before + 1, published(weights))
    thread.join(60)
    assert versions_of(groups) == {before, before + 1}


def test_engines_sleep_and_wake_when_they_are_needed(pool, requests, weights, expected) -> None:
    ray.get([actor.__ray_call__.remote(note_sleep) for actor in pool.actors])
    pool.sleep()
    pool.sleep()
    told = ray.get([actor.__ray_call__.remote(notes) for actor in pool.actors])
    assert told == [["sleep"]] * 2
    assert_same(pool.generate(requests, SAMPLING), expected)
    pool.sleep()
    pool.publish(pool.version + 1, published(weights))
    told = ray.get([actor.__ray_call__.remote(notes) for actor in pool.actors])
    assert told == [["sleep", "wake", "sleep", "wake"]] * 2


def test_an_engine_that_cannot_start_says_why(settings, plan, tmp_path: Path) -> None:
    missing = dataclasses.replace(settings, model_path=str(tmp_path))
    pool = RolloutPool(missing, num_actors=1, plan=plan)
    with pytest.raises(ModelError, match=r"expected a model folder with config\.json"):
        pool.wait_until_ready()


POISON = 666


def sleep_for_ever(*_: object) -> None:
    time.sleep(10**6)


def hang_in_generate(actor: object) -> None:
    actor.engine.generate = sleep_for_ever


def fail_in_loads(actor: object) -> None:
    def fail(*_: object) -> None:
        actor.engine._version = None
        raise EngineError("the cable is out.")

    actor.engine.load_weights = fail


def die_of_poison(actor: object) -> None:
    generate = actor.engine.generate

    def die(requests: Sequence[GroupRequest], sampling: Sampling) -> object:
        if any(POISON in request.seeds for request in requests):
            os.kill(os.getpid(), 9)
        return generate(requests, sampling)

    actor.engine.generate = die


def wait_before_generating(actor: object) -> None:
    generate = actor.engine.generate

    def wait(*arguments: object) -> object:
        time.sleep(1.0)
        return generate(*arguments)

    actor.engine.generate = wait


def note_sleep(actor: object) -> None:
    actor.notes = []
    for name in ("sleep", "wake"):
        own = getattr(actor.engine, name)
        setattr(actor.engine, name, lambda own=own, name=name: (actor.notes.append(name), own()))


def notes(actor: object) -> list[str]:
    return actor.notes
