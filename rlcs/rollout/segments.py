"""Long completions in segments: interrupted after so many tokens, continued under newer weights.

A segment is an ordinary call of an engine with a smaller budget, and a continuation is one
whose prompt ends in what was sampled so far: any engine can do it. The cache of what was
read is made anew, as it must be under other weights (partial rollouts, Kimi k1.5, arXiv
2501.12599, section 2.6.2; tokens keep their own version and log-probabilities as in AReaL,
arXiv 2505.24298).

Only thinking, and text after it, is cut. Force answering happens within one segment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rewards.extraction import THINK_CLOSE
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.work_items import Row, WorkItem
from rlcs.seeds import derive_seed
from rlcs.types import Completion, FinishReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Segmenter:
    """Cuts completions into segments of ``num_tokens`` and joins them again."""

    num_tokens: int
    decode: Callable[[np.ndarray], str]
    """Tokens [T] to text, special tokens kept."""

    def budget(self, sampling: Sampling, *, sampled: int, closed: bool) -> tuple[Sampling, bool]:
        """How the next segment is sampled after ``sampled`` tokens, and whether it is the last.

        ``closed`` says that thinking has been closed: nothing will be inserted any more.
        """
        left = (sampling.max_sampled_tokens if closed else sampling.max_thinking_tokens) - sampled
        if self.num_tokens < left:
            return _plain(sampling, self.num_tokens), False
        return (
            _plain(sampling, left) if closed else replace(sampling, max_thinking_tokens=left)
        ), True

    def join(self, parts: Sequence[Completion]) -> Completion:
        """The segments of one completion, in their order, as one completion."""
        if len(parts) == 1:
            return parts[0]
        token_ids = np.concatenate([part.token_ids for part in parts])
        stopped = parts[-1].finish_reason is FinishReason.STOP
        return replace(
            parts[-1],
            token_ids=token_ids,
            logprobs=np.concatenate([part.logprobs for part in parts]),
            loss_mask=np.concatenate([part.loss_mask for part in parts]),
            text=self.decode(token_ids[:-1] if stopped else token_ids),
            policy_version=parts[0].policy_version,
            segments=tuple((len(part.token_ids), part.policy_version) for part in parts),
        )

    def continue_rows(
        self, sampling: Sampling, unfinished: Sequence[tuple[Row, GroupRequest, list[Completion]]]
    ) -> list[WorkItem]:
        """Work items for rows that have not ended: a row's request and its segments so far.

        All rows of one item were sampled in the same segments, so they differ only in whether
        their thinking is closed: at most two items come of one.
        """
        split: dict[tuple[int, bool], list[tuple[Row, GroupRequest]]] = {}
        for row, request, parts in unfinished:
            so_far = np.concatenate([part.token_ids for part in parts])
            key = len(so_far), THINK_CLOSE in self.decode(so_far)
            split.setdefault(key, []).append((row, _continuation(row, request, so_far)))
        items = []
        for (sampled, closed), rows in split.items():
            budget, last = self.budget(sampling, sampled=sampled, closed=closed)
            items.append(
                WorkItem(
                    requests=tuple(request for _, request in rows),
                    rows=tuple((row,) for row, _ in rows),
                    sampling=budget,
                    last=last,
                )
            )
        return items


def _plain(sampling: Sampling, num_tokens: int) -> Sampling:
    return replace(sampling, max_thinking_tokens=num_tokens, max_answer_tokens=0, force_answer=None)


def _continuation(row: Row, request: GroupRequest, so_far: np.ndarray) -> GroupRequest:
    token_ids = np.concatenate([request.prompt.token_ids, so_far])
    seed = request.seeds[row[1]]
    return replace(
        request,
        prompt=replace(request.prompt, token_ids=token_ids),
        seeds=(derive_seed(seed, "continue", len(so_far)),),
        expected_tokens=None,
    )
