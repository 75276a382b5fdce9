"""Who is wrong when an actor fails: the actor, its work, the weights, or the learner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from rlcs.cluster.faults import Fault
from rlcs.config import FaultsSection
from rlcs.errors import EngineError, LostProcessError, StoreFullError
from rlcs.model.weights import Publication
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.mending import SLOT_ATTEMPTS, Mender
from rlcs.rollout.published import Published
from rlcs.rollout.slots import Task, TaskKind
from rlcs.rollout.work import Work
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Prompt

SAMPLING = Sampling(temperature=1.0, max_thinking_tokens=9, max_answer_tokens=1)
BUG = ValueError("a bug in the engine")


@dataclass
class SlotWithoutRay:
    """A slot whose actors exist in its counts alone."""

    number: int = 0
    version: int | None = 0
    task: Task | None = None
    held: list[WorkItem] = field(default_factory=list)
    failures: int = 0
    refusals: list[Any] = field(default_factory=list)
    given_up_at: int | None = None
    num_started: int = 1
    num_killed: int = 0
    num_dropped: int = 0
    refuses: bool = False
    free: bool = False
    lost_weights: bool = False

    @property
    def name(self) -> str:
        return f"rollout actor {self.number}"

    def location(self) -> Any:
        return None

    def kill(self) -> None:
        self.num_killed += 1

    def start(self) -> None:
        self.num_started += 1
        self.refusals, self.refuses = [], False

    def give_up(self, version: int) -> None:
        self.given_up_at = version

    def refill(self) -> None:
        self.given_up_at, self.failures = None, 0
        self.start()

    def lose_work(self) -> list[WorkItem]:
        lost, self.held = self.held, []
        return lost

    def drop_work(self) -> list[WorkItem]:
        self.num_dropped += 1
        return self.lose_work()


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """An actor that never came up is told of with what the cluster has free."""
    monkeypatch.setattr("rlcs.rollout.mending.free_resources", lambda: "2 CPU")
    monkeypatch.setattr("rlcs.rollout.mending.ROOM_SECONDS", 0.0)


@pytest.fixture
def slots() -> list[SlotWithoutRay]:
    return [SlotWithoutRay(number=0), SlotWithoutRay(number=1)]


@pytest.fixture
def published() -> Published:
    published = Published()
    published.newest = 4, Publication(buckets=("a reference",))
    return published


@pytest.fixture
def faults() -> list[Fault]:
    return []


@pytest.fixture
def mender(slots: Any, published: Published, faults: list[Fault]) -> Mender:
    return Mender(slots, published, limits=FaultsSection(attempts=2), on_fault=faults.append)


@pytest.fixture
def work() -> Work:
    requests = [
        GroupRequest(prompt=Prompt(problem_id=f"p{index}", token_ids=[1]), seeds=(1, 2))
        for index in range(2)
    ]
    return Work(requests, SAMPLING, num_actors=2, rows_at_once=2, keep_shares=True)


def load_of(version: int) -> Task:
    return Task(kind=TaskKind.LOAD, reference=None, allowed_seconds=1.0, version=version)


GENERATE = Task(kind=TaskKind.GENERATE, reference=None, allowed_seconds=1.0)


def take(work: Work, *, num: int = 1) -> list[WorkItem]:
    """The next items, as the first actor gets them."""
    return [item for _ in range(num) if (item := work.waiting.take(0))]


def test_a_lost_learner_counts_while_its_version_is_wanted(mender, slots, work, faults) -> None:
    lost = LostProcessError("the learner died")
    mender.mend(slots[0], load_of(3), lost, work, first=False)
    with pytest.raises(LostProcessError, match="the learner died"):
        mender.mend(slots[0], load_of(4), lost, work, first=False)
    assert faults == []
    assert slots[0].num_killed == 0


def test_an_actor_that_fails_is_replaced_until_its_slot_is_given_up(
    mender, slots, work, faults, published
) -> None:
    for _ in range(SLOT_ATTEMPTS):
        mender.mend(slots[0], load_of(4), BUG, work, first=False)
    assert (slots[0].num_killed, slots[0].num_started) == (SLOT_ATTEMPTS, SLOT_ATTEMPTS)
    assert mender.num_replaced == SLOT_ATTEMPTS - 1
    assert slots[0].given_up_at == 4
    assert [fault.what for fault in faults] == ["rollout actor 0 failed to load weights:"] * 3
    mender.refill()
    assert slots[0].given_up_at == 4, "the version that it failed on is still the newest"
    published.newest = 5, None
    mender.refill()
    assert slots[0].given_up_at is None
    assert slots[0].num_started == SLOT_ATTEMPTS + 1


def test_no_new_actor_where_the_weights_passed_the_host_by(mender, slots, work, published) -> None:
    published.newest = 4, Publication(buckets=())
    mender.mend(slots[0], load_of(4), BUG, work, first=False)
    assert slots[0].given_up_at == 4
    assert slots[0].num_started == 1
    mender.mend(slots[1], load_of(4), BUG, work, first=False)
    error = mender.nobody_left()
    assert isinstance(error, LostProcessError), "a run starts again from its last checkpoint"
    assert "whose weights went from GPU to GPU: " in str(error)


def test_work_is_handed_out_again_until_it_was_lost_often_enough(
    mender, slots, work, faults
) -> None:
    items = slots[0].held = take(work, num=2)
    mender.mend(slots[0], GENERATE, TimeoutError("late"), work, first=False)
    assert slots[0].held == []
    assert faults[0].what == "rollout actor 0 stopped answering:"
    assert faults[0].problem_ids == ("p0", "p1")
    slots[1].held = take(work, num=2)
    assert slots[1].held == items, "in their order, to whoever is free"
    with pytest.raises(EngineError, match="Problems: p0, p1"):
        mender.mend(slots[1], GENERATE, TimeoutError("late"), work, first=False)
    assert faults[1].remedy == "It was tried often enough."
    assert slots[1].num_started == 2, "the pool can be used again"


def test_who_is_well_takes_over_from_who_is_missing(mender, slots, work) -> None:
    assert work.waiting.keep_shares
    mender.mend(slots[0], load_of(4), BUG, work, first=False)
    assert not work.waiting.keep_shares


def test_an_actor_whose_completions_found_no_room_is_well(mender, slots, work, faults) -> None:
    """But nobody knows which of its items had ended: it gives up all that it holds."""
    full = StoreFullError("no room")
    slots[0].held = take(work, num=2)
    mender.mend(slots[0], GENERATE, full, work, first=False)
    assert (slots[0].num_killed, slots[0].num_dropped) == (0, 1)
    assert faults[0].what == "completions were lost:"
    assert faults[0].problem_ids == ("p0", "p1")
    slots[0].held = take(work, num=2)
    with pytest.raises(StoreFullError):
        mender.mend(slots[0], GENERATE, full, work, first=False)


def test_engines_that_slept_and_wait_for_weights_are_told_apart(mender, slots) -> None:
    slots[1].free = slots[1].lost_weights = True
    with pytest.raises(EngineError, match="Publish a version before generating"):
        raise mender.nobody_left()


def test_nothing_is_mended_when_actors_start_first(mender, slots, work, faults) -> None:
    start = Task(kind=TaskKind.START, reference=None, allowed_seconds=1.0)
    with pytest.raises(EngineError, match="no such model"):
        mender.mend(slots[0], start, EngineError("no such model"), work, first=True)
    assert faults == []
    assert slots[0].num_started == 1


def test_weights_that_all_refuse_are_wrong(mender, slots, work, faults) -> None:
    for slot in slots:
        slot.version, slot.refuses, slot.refusals = None, True, [EngineError("expects shape")]
    with pytest.raises(EngineError, match="expects shape"):
        mender.judge_refusals(work)
    assert faults == []
    assert [slot.refusals for slot in slots] == [[], []]


def test_an_actor_that_refuses_what_another_took_is_wrong(mender, slots, work, faults) -> None:
    slots[0].version = 4
    slots[1].version, slots[1].refuses, slots[1].refusals = None, True, [EngineError("no")]
    mender.judge_refusals(work)
    assert slots[1].num_started == 2
    assert [fault.what for fault in faults] == ["rollout actor 1 failed to load weights:"]


def test_a_refusal_alone_is_not_judged_while_others_load(mender, slots, work, faults) -> None:
    slots[1].version, slots[1].refuses, slots[1].refusals = None, True, [EngineError("no")]
    mender.judge_refusals(work)
    assert faults == []
    assert slots[1].num_started == 1


def test_after_an_error_those_that_work_are_replaced(mender, slots, work) -> None:
    slots[0].held = take(work)
    slots[1].task = load_of(4)
    mender.drop_work()
    assert [(slot.num_killed, slot.num_started) for slot in slots] == [(1, 2), (0, 1)]
