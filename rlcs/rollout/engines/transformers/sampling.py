"""Sampling tokens for many rows at once: seeds, budgets, force answering, log-probabilities.

Each row owns one uniform number a token, from a counter-based generator keyed by its seed,
and takes the token at that point of the cumulative distribution. So a row's tokens depend
on its seed and its logits alone, not on which rows happen to share its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rewards.extraction import THINK_CLOSE
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.types import Completion, FinishReason

COMPACT_BELOW = 0.75
"""Ended rows leave the batch once fewer than this share of its rows go on."""


class RowState:
    """What was sampled so far for the rows of one batch.

    R is the number of rows of the whole batch, A the rows still in it. All rows start
    together, so the number of tokens written is the same for every row that goes on.
    """

    def __init__(
        self,
        requests: Sequence[GroupRequest],
        sampling: Sampling,
        *,
        force_ids: Sequence[int],
        eos_token_ids: Sequence[int],
        tokenizer: Any,
        device: torch.device,
    ) -> None:
        self.sampling = sampling
        self.tokenizer = tokenizer
        self.problem_ids = [
            request.prompt.problem_id for request in requests for _ in request.seeds
        ]
        seeds = [seed for request in requests for seed in request.seeds]
        num_rows, width = len(seeds), sampling.max_sampled_tokens + len(force_ids)
        uniforms = np.stack(
            [np.random.Generator(np.random.Philox(seed)).random(width) for seed in seeds]
        )
        self.uniforms = torch.from_numpy(uniforms).to(device)
        self.token_ids = torch.zeros(num_rows, width, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(num_rows, width, dtype=torch.float32, device=device)
        self.forced = torch.zeros(num_rows, dtype=torch.bool, device=device)
        self.lengths = torch.zeros(num_rows, dtype=torch.long, device=device)
        self.stopped = torch.zeros(num_rows, dtype=torch.bool, device=device)
        self.rows = torch.arange(num_rows, device=device)
        """[A], which rows the batch still holds."""
        self.live = torch.ones(num_rows, dtype=torch.bool, device=device)
        """[A], which of them go on."""
        self.force_ids = torch.tensor(list(force_ids), dtype=torch.long, device=device)
        self.eos_token_ids = torch.tensor(list(eos_token_ids), dtype=torch.long, device=device)
        self.written = 0

    def sample(self, logits: torch.Tensor) -> torch.Tensor:
        """Take the next token of every row from ``logits`` [A, vocabulary]; returns them [A]."""
        tokens, logprobs = self._choose(logits)
        inserted = self._inserted_rows()
        if inserted is not None:
            tokens = torch.where(inserted, self._inserted_token(), tokens)
            logprobs = logprobs.masked_fill(inserted, 0.0)
        rows, live = self.rows, self.live
        self.token_ids[rows[live], self.written] = tokens[live]
        self.logprobs[rows[live], self.written] = logprobs[live]
        self.written += 1
        self.lengths[rows[live]] = self.written
        self._end_rows(tokens, inserted)
        return tokens

    def drop_ended(self) -> torch.Tensor | None:
        """Indices [A] of rows to keep when enough rows have ended, None to keep all."""
        num_live = int(self.live.sum())
        if num_live == len(self.live) or 0 < num_live > COMPACT_BELOW * len(self.live):
            return None
        kept = self.live.nonzero()[:, 0]
        self.rows, self.live = self.rows[kept], self.live[kept]
        return kept

    def completions(self, tokenizer: Any, policy_version: int) -> list[Completion]:
        """All rows [R] as completions, in the order of the requests."""
        token_ids, logprobs = self.token_ids.cpu().numpy(), self.logprobs.cpu().numpy()
        lengths, forced = self.lengths.tolist(), self.forced.tolist()
        stopped = self.stopped.tolist()
        shown = [token_ids[row, : lengths[row] - stopped[row]] for row in range(len(lengths))]
        texts = tokenizer.batch_decode(shown, skip_special_tokens=False)
        return [
            Completion(
                problem_id=self.problem_ids[row],
                token_ids=token_ids[row, : lengths[row]].copy(),
                logprobs=logprobs[row, : lengths[row]].copy(),
                loss_mask=self._loss_mask(lengths[row], forced[row]),
                text=texts[row],
                finish_reason=FinishReason.STOP if stopped[row] else FinishReason.LENGTH,
                policy_version=policy_version,
            )
            for row in range(len(lengths))
        ]

    def _choose(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens [A] and their log-probabilities [A]."""
        if self.sampling.temperature == 0:
            tokens = logits.argmax(-1)
            scaled = logits
        else:
            scaled = logits / self.sampling.temperature
            cumulative = scaled.softmax(-1, dtype=torch.float64).cumsum(-1)
            points = self.uniforms[self.rows, self.written][:, None] * cumulative[:, -1:]
            tokens = torch.searchsorted(cumulative, points, right=True)[:, 0]
            tokens = tokens.clamp(max=logits.shape[-1] - 1)
        chosen = scaled.gather(-1, tokens[:, None])[:, 0]
        return tokens, chosen - scaled.logsumexp(-1)

    def _inserted_rows(self) -> torch.Tensor | None:
        """[A] rows whose next token is inserted, None where there are none."""
        since = self.written - self.sampling.max_thinking_tokens
        if not 0 <= since < len(self.force_ids):
            return None
        if since == 0:
            self._mark_open_thinking()
        return self.forced[self.rows] & self.live

    def _inserted_token(self) -> torch.Tensor:
        return self.force_ids[self.written - self.sampling.max_thinking_tokens]

    def _mark_open_thinking(self) -> None:
        """Find the rows that have used up their thinking budget without closing it."""
        live = self.rows[self.live]
        texts = self.tokenizer.batch_decode(
            self.token_ids[live, : self.written].cpu().numpy(), skip_special_tokens=False
        )
        open_rows = [THINK_CLOSE not in text for text in texts]
        self.forced[live] = torch.tensor(open_rows, dtype=torch.bool, device=live.device)

    def _end_rows(self, tokens: torch.Tensor, inserted: torch.Tensor | None) -> None:
        ended = torch.isin(tokens, self.eos_token_ids)
        if inserted is not None:
            ended &= ~inserted
        self.stopped[self.rows[ended & self.live]] = True
        budget = self.sampling.max_sampled_tokens + self.forced[self.rows] * len(self.force_ids)
        self.live &= ~ended & (self.written < budget)

    def _loss_mask(self, length: int, forced: bool) -> np.ndarray:
        mask = np.ones(length, dtype=bool)
        if forced:
            start = self.sampling.max_thinking_tokens
            mask[start : start + len(self.force_ids)] = False
        return mask
