"""All rollout actors of a run, driven as one engine that survives the loss of its parts.

An actor that died, stopped answering or failed is replaced in the background; what it was
working on is handed out again. A new actor is brought to the current version before it gets
work, and so is every other: an actor never works under an older version than was published
when its work item was handed out.

One thread at a time drives the actors. :meth:`RolloutPool.publish` and
:meth:`RolloutPool.publish_by` may be called by another thread while
:meth:`RolloutPool.generate` runs: then work items that are being worked on are finished under the
version they were begun with, and all later ones are sampled under the new.

Here is what callers use. ``driver`` has the loop behind it, ``mending`` what happens when an actor
fails, ``work`` what is left to do, and ``slots`` the actors themselves.

Left out: working on an item twice to beat a slow actor. It would change nothing but the time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from rewards.shown import shown
from rlcs.activity import doing
from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import FaultsSection
from rlcs.model.weights import Publication
from rlcs.rollout.driver import Driver
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.mending import Mender
from rlcs.rollout.published import Published
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.settings import EngineSettings
from rlcs.rollout.slots import Slot
from rlcs.rollout.timing import Timing
from rlcs.rollout.work import Work
from rlcs.types import Completion


def print_fault(fault: Fault) -> None:
    """The listener of a pool that is given none."""
    print(shown(f"rlcs: {fault}"), file=sys.stderr)


class RolloutPool:
    """All rollout actors of a run."""

    def __init__(
        self,
        settings: EngineSettings,
        *,
        num_actors: int,
        plan: ProcessPlan,
        faults: FaultsSection | None = None,
        on_fault: FaultListener = print_fault,
        segmenter: Segmenter | None = None,
    ) -> None:
        """Start the actors at once; :meth:`wait_until_ready` waits for them."""
        limits = faults or FaultsSection()
        self.on_fault = on_fault
        self.slots = [
            Slot(number, settings, plan, start_seconds=limits.start_seconds)
            for number in range(num_actors)
        ]
        self.timing = Timing(seconds=0.0, idle_share=0.0, num_work_items=0)
        """How the last call of :meth:`generate` used the actors."""
        self._segmenter = segmenter
        self._settings = settings
        self._published = Published()
        self._mender = Mender(self.slots, self._published, limits=limits, on_fault=on_fault)
        self._driver = Driver(
            self.slots, self._published, self._mender, limits=limits, settings=settings
        )

    @property
    def version(self) -> int:
        """The newest version published."""
        return self._published.version

    @property
    def actors(self) -> list[Any]:
        """The actors that now fill the slots, ready or not."""
        return [slot.actor for slot in self.slots]

    @property
    def num_replaced(self) -> int:
        """Actors replaced since the pool was made."""
        return self._mender.num_replaced

    def wait_until_ready(self) -> None:
        """Return when every engine has loaded its model; the first failure is raised."""
        number = len(self.slots)
        with self._driver.lock, doing(f"{number} engine{'s' * (number > 1)} starting"):
            self._driver.settle(first=True)

    def publish(self, version: int, weights: Publication) -> None:
        """Make every engine serve ``version``.

        Raises:
            EngineError: no engine took the weights. Those that did not are replaced.
        """
        self._published.newest = version, weights
        with self._driver.lock.if_free() as held:
            if held:  # otherwise the thread that drives brings the actors up to date
                self._driver.bring_up_to_date()

    def publish_by(self, version: int, send: Callable[[Sequence[Any]], Publication]) -> None:
        """Publish what ``send`` brings to the actors by itself, while none of them works.

        ``send`` gets those that are ready, all of them awake, and returns the publication: with the
        weights in it unless every actor of the pool has got them.

        Raises:
            EngineError: no engine took the weights.
        """
        with self._driver.lock.in_a_pause():
            self._driver.wake()
            ready = [slot for slot in self.slots if slot.idle]
            self._published.newest = version, send([slot.actor for slot in ready])
            for slot in ready:
                self._driver.load(slot)
            self._driver.bring_up_to_date()

    def sleep(self) -> None:
        """Have engines leave their GPUs to the ranks; they wake when they are needed.

        The next version must be published before anything is generated: engines that can do
        without their weights until then let them go.
        """
        with self._driver.lock:
            self._driver.settle()  # also those that were just replaced
            self._driver.sleep()

    def forget_weights(self) -> None:
        """Give up the published weights to make room; the next version must be published."""
        self._published.newest = self.version, None

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """Sample the groups of completions, in the order of ``requests``.

        Raises:
            EngineError: a work item was lost ``faults.attempts`` times, or no actor is left; the
                message names the problems.
        """
        with self._driver.lock:
            settings = self._settings
            all_there = all(slot.given_up_at is None for slot in self.slots)
            work = Work(
                requests,
                sampling,
                num_actors=len(self.slots),
                rows_at_once=None if settings.takes_more else settings.rows_at_once,
                segmenter=self._segmenter,
                keep_shares=settings.repeats_exactly and all_there,
            )
            began = time.monotonic()
            self._driver.finish(work)
            self.timing = Timing.since(began, self.slots, num_work_items=work.num_work_items)
            return work.results()

    def stop(self) -> None:
        """Make a thread that is in :meth:`generate` give up, with an error, within seconds."""
        self._driver.stop()
