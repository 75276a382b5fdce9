"""A slot of the pool: the actor that fills it now, its pending task, and until when it may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import ray

from rlcs.cluster.fetch import naming_full_store, outcome
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.cluster.stacks import ProcessLocation
from rlcs.errors import RlcsError
from rlcs.model.weights import Publication
from rlcs.rollout.actors import RolloutActor
from rlcs.rollout.engine import Progress
from rlcs.rollout.settings import EngineSettings
from rlcs.rollout.work_items import WorkItem
from rlcs.types import Completion

LOAD_ATTEMPTS = 2
"""Times that the same weights are given to an actor that refuses them."""


class TaskKind(StrEnum):
    """What an actor is to do."""

    START = "start"
    LOAD = "load weights"
    GENERATE = "generate"
    SLEEP = "sleep"
    WAKE = "wake"


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Something that was submitted to an actor, and by when it must have answered."""

    kind: TaskKind
    reference: Any
    """Ray's, of the answer."""
    allowed_seconds: float
    version: int | None = None
    """The version that the actor will serve after LOAD."""
    began: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        """On the monotonic clock."""
        return self.began + self.allowed_seconds


class Slot:
    """One of a pool's slots: its actor may be replaced, the slot stays."""

    def __init__(
        self, number: int, settings: EngineSettings, plan: ProcessPlan, *, start_seconds: float
    ) -> None:
        """Start the first actor."""
        self.number = number
        self._settings = settings
        self._options = plan.engine_options(number)
        self._start_seconds = start_seconds
        self._loses_weights = settings.sleep_loses_weights
        # Of several workers one may refuse what the others took: from then on they answer to
        # different calls.
        self._load_attempts = 1 if settings.vllm.tensor_parallel_size > 1 else LOAD_ATTEMPTS
        self.failures = 0
        """Actors that failed here in a row, without any work done between them."""
        self.refusals: list[RlcsError] = []
        """What the actor that is here now said of the newest weights when it refused them."""
        self.given_up_at: int | None = None
        """The version that was published when the slot was given up, None while it is not."""
        self.held: dict[int, WorkItem] = {}
        """The work items that the actor has taken in and not answered, by their keys."""
        self.num_rows = 0
        """Their completions that have not ended, as far as is known."""
        self.num_tokens = 0
        """Those sampled since the actor last had nothing to do, of items that were answered."""
        self.busy_since = self.free_since = time.monotonic()
        self._num_taken_in = 0
        self._not_sent: list[int] = []
        self.start()

    @property
    def name(self) -> str:
        """What the user is told of the actor."""
        return f"rollout actor {self.number}"

    @property
    def free(self) -> bool:
        """Whether there is an actor that waits to be told what to do."""
        return self.task is None and self.given_up_at is None and not self.refuses

    @property
    def idle(self) -> bool:
        """Whether there is an actor that has nothing to do."""
        return self.free and not self.held

    @property
    def starting(self) -> bool:
        """Whether the actor loads its model still."""
        return self.task is not None and self.task.kind is TaskKind.START

    @property
    def refuses(self) -> bool:
        """Whether the actor lives, and would not take the newest weights when it got them again."""
        return len(self.refusals) >= self._load_attempts

    def give_up(self, version: int) -> None:
        """Leave the slot empty until a version after ``version`` is published."""
        self.given_up_at = version
        self.refusals = []

    def refill(self) -> None:
        """Start an actor in a slot that was given up."""
        self.given_up_at, self.failures = None, 0
        self.start()

    def start(self) -> None:
        """Start a new actor, which begins to load its model."""
        self.refusals = []
        self.asleep = False
        """Whether the engine has left the GPU to a rank."""
        self.lost_weights = False
        """Whether the engine has come back without weights, and was given none since."""
        make_actor: Any = ray.remote(RolloutActor)
        self.actor = make_actor.options(**self._options).remote()
        self._announcement = self.actor.announce.remote()
        self.version: int | None = 0
        """The version of the weights that is served, None after a failed load."""
        self.task: Task | None = Task(
            kind=TaskKind.START,
            reference=self.actor.start.remote(self._settings),
            allowed_seconds=self._start_seconds,
        )

    def load(self, version: int, weights: Publication | None, *, allowed_seconds: float) -> None:
        """Submit ``version``, made of ``weights``; None where they were given up."""
        self.version, self.lost_weights = None, False
        # An actor that waits for the learner gives up first, and says whom it waited for.
        patience = 0.9 * allowed_seconds
        reference = self.actor.load_weights.remote(version, weights, patience)
        self.task = Task(
            kind=TaskKind.LOAD,
            reference=reference,
            allowed_seconds=allowed_seconds,
            version=version,
        )

    def take_in(self, item: WorkItem) -> None:
        """Add a work item to what the actor holds; :meth:`generate` hands it over."""
        if not self.held:
            self.busy_since, self.num_tokens = time.monotonic(), 0
        self._num_taken_in += 1
        self.held[self._num_taken_in] = item
        self.num_rows += item.num_rows
        self._not_sent.append(self._num_taken_in)

    def generate(self, num_left: int, *, allowed_seconds: float) -> None:
        """Have the actor go on with what it holds, until ``num_left`` (see Engine.advance)."""
        new = [(key, self.held[key].requests, self.held[key].sampling) for key in self._not_sent]
        with naming_full_store("handing out work"):
            reference = self.actor.work.remote(new, num_left)
        self._not_sent = []
        self.task = Task(
            kind=TaskKind.GENERATE, reference=reference, allowed_seconds=allowed_seconds
        )

    def answer(self, progress: Progress) -> Iterator[tuple[WorkItem, list[tuple[Completion, ...]]]]:
        """The items that have ended by ``progress``, with their groups."""
        self.num_rows = progress.num_open
        for key, groups in progress.answers.items():
            self.num_tokens += sum(len(one.token_ids) for group in groups for one in group)
            yield self.held.pop(key), groups

    def lose_work(self) -> list[WorkItem]:
        """What the actor held, which it will not answer any more."""
        lost = list(self.held.values())
        self.held, self.num_rows, self._not_sent = {}, 0, []
        return lost

    def drop_work(self) -> list[WorkItem]:
        """Have an actor that is well give up what it holds; returns that."""
        self.actor.drop_work.remote()
        return self.lose_work()

    def sleep(self, *, allowed_seconds: float) -> None:
        """Have the engine leave the GPU to a rank."""
        self.task = Task(
            kind=TaskKind.SLEEP,
            reference=self.actor.sleep.remote(),
            allowed_seconds=allowed_seconds,
        )

    def wake(self, *, allowed_seconds: float) -> None:
        """Have the engine come back to the GPU and serve what it served."""
        self.task = Task(
            kind=TaskKind.WAKE,
            reference=self.actor.wake.remote(),
            allowed_seconds=allowed_seconds,
        )

    def note_sleep(self, *, asleep: bool) -> None:
        """The engine has left the GPU, or has come back, perhaps without its weights."""
        self.asleep = asleep
        if not asleep and self._loses_weights:
            self.version, self.lost_weights = None, True

    def end_task(self) -> Task:
        """The pending task, which is pending no longer."""
        assert self.task is not None
        task, self.task = self.task, None
        self.free_since = time.monotonic()
        return task

    def location(self) -> ProcessLocation | None:
        """Where the actor lives; None when it never came up."""
        location: ProcessLocation | None
        location, _ = outcome(self._announcement, result="where an actor lives", timeout=0)
        return location

    def kill(self) -> None:
        """End the actor, whatever it does."""
        ray.kill(self.actor)
