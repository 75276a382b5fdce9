"""What one call of the pool has to answer: what is still to hand out, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.waiting import Waiting
from rlcs.rollout.work_items import Row, WorkItem, cut_work_items
from rlcs.types import Completion, FinishReason


class Work:
    """The work of one call of the pool.

    Every completion is counted once: a work item is answered whole, or handed out again.
    """

    def __init__(
        self,
        requests: Sequence[GroupRequest],
        sampling: Sampling,
        *,
        num_actors: int,
        rows_at_once: int | None,
        segmenter: Segmenter | None = None,
        keep_shares: bool = False,
    ) -> None:
        """``rows_at_once`` as in ``cut_work_items``, ``keep_shares`` as in ``Waiting``."""
        self.requests = list(requests)
        self.sampling = sampling
        self.segmenter = segmenter
        budget, last = sampling, True
        if segmenter:
            budget, last = segmenter.budget(sampling, sampled=0, closed=False)
        items = cut_work_items(
            self.requests, budget, num_actors=num_actors, rows_at_once=rows_at_once, last=last
        )
        self.waiting = Waiting(items, keep_shares=keep_shares)
        self.num_work_items = len(items)
        """How many there were so far, continuations counted."""
        self._parts: dict[Row, list[Completion]] = {}
        self._num_all = sum(len(request.seeds) for request in self.requests)
        self._num_open = self._num_all
        self._losses: Counter[tuple[Row, ...]] = Counter()

    @classmethod
    def nothing(cls) -> Work:
        """Nothing to do."""
        sampling = Sampling(temperature=0.0, max_thinking_tokens=0, max_answer_tokens=0)
        return cls([], sampling, num_actors=1, rows_at_once=1)

    @property
    def done(self) -> bool:
        """Whether every completion has ended."""
        return not self._num_open

    @property
    def progress(self) -> str:
        """How many of the completions have ended, in words."""
        return f"{self._num_all - self._num_open} of {self._num_all} completions"

    @property
    def may_grow(self) -> bool:
        """Whether items that end may bring others."""
        return self.segmenter is not None

    def take_back(self, item: WorkItem) -> int:
        """Hand a lost item out again, before all others; returns how often it was lost."""
        self.waiting.give_to_anyone(item)
        key = tuple(row for rows in item.rows for row in rows)
        self._losses[key] += 1
        return self._losses[key]

    def finish(self, item: WorkItem, groups: Sequence[tuple[Completion, ...]]) -> None:
        """Take the completions of an item, in the order of its requests."""
        unfinished = []
        for rows, group in zip(item.rows, groups, strict=True):
            for row, completion in zip(rows, group, strict=True):
                parts = self._parts.setdefault(row, [])
                parts.append(completion)
                if item.last or completion.finish_reason is FinishReason.STOP:
                    self._num_open -= 1
                else:
                    unfinished.append((row, self.requests[row[0]], parts))
        if unfinished:
            assert self.segmenter is not None
            items = self.segmenter.continue_rows(self.sampling, unfinished)
            # First of all, for the longest; and where their beginnings are in the cache.
            self.waiting.put_first([replace(new, share=item.share) for new in items])
            self.num_work_items += len(items)

    def results(self) -> list[tuple[Completion, ...]]:
        """The groups in the order of the requests."""
        join = self.segmenter.join if self.segmenter else _only
        return [
            tuple(join(self._parts[index, row]) for row in range(len(request.seeds)))
            for index, request in enumerate(self.requests)
        ]


def _only(parts: Sequence[Completion]) -> Completion:
    (completion,) = parts
    return completion
