"""A place in the pool: the actor that fills it now, what it has been asked, and until when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import ray

from rlcs.cluster.fetch import naming_full_store
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.cluster.stacks import ProcessPlace
from rlcs.errors import RlcsError
from rlcs.model.weights import Publication
from rlcs.rollout.actors import RolloutActor
from rlcs.rollout.settings import EngineSettings
from rlcs.rollout.work_items import WorkItem

LOAD_ATTEMPTS = 2
"""Times an actor that answers is asked to load the same weights."""


class Asked(StrEnum):
    """What an actor was asked to do."""

    START = "start"
    LOAD = "load weights"
    GENERATE = "generate"
    SLEEP = "sleep"
    WAKE = "wake"


TURNS = (Asked.SLEEP, Asked.WAKE)
"""What says whose turn it is to use a GPU."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Something an actor was asked, and by when it must have answered."""

    asked: Asked
    reference: Any
    allowed_seconds: float
    version: int | None = None
    """That it will serve after LOAD."""
    work_item: WorkItem | None = None
    """That it answers by GENERATE."""
    began: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        """On the monotonic clock."""
        return self.began + self.allowed_seconds


class Slot:
    """One of the pool's places; its actor may be replaced, the place stays."""

    def __init__(
        self, number: int, settings: EngineSettings, plan: ProcessPlan, *, start_seconds: float
    ) -> None:
        self.number = number
        self._settings = settings
        self._options = plan.engine_options(number)
        self._start_seconds = start_seconds
        # Of several workers one may refuse what the others took: they answer out of turn then.
        self._load_attempts = 1 if settings.vllm.tensor_parallel_size > 1 else LOAD_ATTEMPTS
        self.failures = 0
        """In a row, without any work done between them."""
        self.refusals: list[RlcsError] = []
        """Of the version that was published last, by the actor that is here now."""
        self.abandoned_at: int | None = None
        """The version that was published when the place was given up, None while it is not."""
        self.free_since = time.monotonic()
        self.start()

    @property
    def name(self) -> str:
        return f"rollout actor {self.number}"

    @property
    def idle(self) -> bool:
        """Whether it has an actor that waits to be asked something."""
        return self.task is None and self.abandoned_at is None and not self.refuses

    @property
    def refuses(self) -> bool:
        """Whether its actor lives, and would not take the newest weights when asked again."""
        return len(self.refusals) >= self._load_attempts

    def abandon(self, version: int) -> None:
        """Leave the place empty until a version after ``version`` is published."""
        self.abandoned_at = version
        self.refusals = []

    def start(self) -> None:
        """A new actor, which begins to load its model."""
        self.refusals = []
        self.asleep = False
        """Whether its engine has left the GPU to a rank."""
        make_actor: Any = ray.remote(RolloutActor)
        self.actor = make_actor.options(**self._options).remote()
        self._announcement = self.actor.announce.remote()
        self.version: int | None = 0
        """Version of the weights it serves, None after a failed load."""
        self.task: Task | None = Task(
            asked=Asked.START,
            reference=self.actor.start.remote(self._settings),
            allowed_seconds=self._start_seconds,
        )

    def load(self, version: int, weights: Publication | None, *, allowed_seconds: float) -> None:
        """Ask for ``version``, made of ``weights``; None where they were given up."""
        self.version = None
        # An actor that waits for the learner gives up first, and says whom it waited for.
        patience = 0.9 * allowed_seconds
        reference = self.actor.load_weights.remote(version, weights, patience)
        self.task = Task(
            asked=Asked.LOAD,
            reference=reference,
            allowed_seconds=allowed_seconds,
            version=version,
        )

    def generate(self, item: WorkItem, *, allowed_seconds: float) -> None:
        """Hand out a work item."""
        with naming_full_store("handing out work"):
            reference = self.actor.generate.remote(item.requests, item.sampling)
        self.task = Task(
            asked=Asked.GENERATE,
            reference=reference,
            allowed_seconds=allowed_seconds,
            work_item=item,
        )

    def turn(self, *, asleep: bool, allowed_seconds: float) -> None:
        """Ask the engine to leave the GPU to a rank, or to come back and serve what it served."""
        self.task = Task(
            asked=Asked.SLEEP if asleep else Asked.WAKE,
            reference=(self.actor.sleep if asleep else self.actor.wake).remote(),
            allowed_seconds=allowed_seconds,
        )

    def end_task(self) -> Task:
        """What was asked last; nothing is asked any more."""
        assert self.task is not None
        task, self.task = self.task, None
        self.free_since = time.monotonic()
        return task

    def place(self) -> ProcessPlace | None:
        """Where the actor lives; None when it never came up."""
        try:
            place: ProcessPlace = ray.get(self._announcement, timeout=0)
        except ray.exceptions.RayError:
            return None
        return place

    def kill(self) -> None:
        """End the actor, whatever it does."""
        ray.kill(self.actor)
