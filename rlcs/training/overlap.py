"""The overlapped schedule: the next steps are generated while this one is learned.

The parts are those of ``rlcs.training.loop``; only their order in time differs. One
background thread collects batches in the order of the steps and is alone in touching the
curriculum; the main thread learns from them in the same order. So the curriculum sees what
it sees in the synchronous schedule, but later: a batch is sampled by weights that lack the last
updates. It is collected at most ``schedule.max_staleness`` updates ahead, and as the pool never
works under an older version than was published when it handed a work item out, no token sampled
for a batch is older than that. (A group that is carried over was sampled for the step before.)

A version is published while actors work: each takes it up before its next work item. With
``schedule.segment_tokens`` long completions are interrupted and go on under the new version,
otherwise they are finished under theirs. Every token keeps the version and the log-probability
it was sampled with, and the loss compares with that (``rlcs.learner.losses``).

What is collected and not yet learned goes into the checkpoint: nothing is drawn twice or lost.
The run is reproducible only up to timing; for exact resume use the synchronous schedule.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from rlcs.run.batch import Batch
from rlcs.training.loop import Trainer, collect, update
from rlcs.training.step_row import Stopwatch


class Overlapped:
    """Takes the steps of a run in the overlapped schedule."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._background = ThreadPoolExecutor(1, thread_name_prefix="collect")
        self._ahead: deque[Future[Batch]] = deque()
        for batch in trainer.state.ahead:
            self._ahead.append(Future())
            self._ahead[-1].set_result(batch)

    def take_step(self) -> dict[str, Any]:
        """One step; returns its row of ``steps.jsonl``."""
        watch = Stopwatch()
        self._collect_ahead(1)
        with watch.measure("wait"):
            batch = self._ahead.popleft().result()
        self._collect_ahead(self.trainer.config.schedule.max_staleness, after=batch.step)
        return update(self.trainer, batch, watch)

    def settle(self) -> None:
        """Wait for what is being collected and put it into the trainer's state, to be saved."""
        self.trainer.state.ahead = [future.result() for future in self._ahead]

    def close(self) -> None:
        """Give up what is being collected."""
        self.trainer.workers.rollouts.stop()
        self._background.shutdown(cancel_futures=True)

    def _collect_ahead(self, number: int, *, after: int | None = None) -> None:
        """Have ``number`` batches after that of step ``after`` collected or on the way."""
        after = self.trainer.state.steps_done if after is None else after
        last = min(after + number, self.trainer.config.run.num_steps)
        for step in range(after + len(self._ahead) + 1, last + 1):
            self._ahead.append(self._background.submit(collect, self.trainer, step))
