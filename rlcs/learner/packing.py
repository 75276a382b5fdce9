"""Cutting a batch of samples into micro-batches of equal work on every rank.

The weight of every token in the loss of the whole batch is fixed here, before anything is
cut. A micro-batch's loss is then the plain weighted sum of its token losses, and the sum
over micro-batches and ranks is the loss of the whole batch, however it was cut: gradient
accumulation is exact, not a mean of means.

Rows are laid out with prompts flush right and completions flush left of one common column,
so that logits are computed for completions alone.

Left out: several samples in one row. It needs an attention kernel for variable lengths;
sorting by length keeps padding to a few per cent.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlcs.types import TrainingSample


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MicroBatch:
    """Rows for one forward and backward pass: R rows, L = P + T columns."""

    token_ids: np.ndarray
    """[R, L] int64: prompt in the last of the first P columns, completion in the first of T."""
    attention_mask: np.ndarray
    """[R, L] bool"""
    num_completion_columns: int
    """T"""
    old_logprobs: np.ndarray
    """[R, T] float32"""
    advantages: np.ndarray
    """[R] float32"""
    token_weights: np.ndarray
    """[R, T] float32, the token's weight in the loss of the whole batch; 0 carries no loss."""
    sample_indices: tuple[int, ...]
    """[R] which sample of the batch each row is."""
    proximal_logprobs: np.ndarray | None = None
    """[R, T] float32, where the samples have them."""


def pack(
    samples: Sequence[TrainingSample], *, loss: str, num_ranks: int, micro_batch_tokens: int
) -> list[list[MicroBatch]]:
    """Micro-batches for each of ``num_ranks`` ranks, the same number for every rank.

    ``loss`` is ``per_sample`` (each sample weighs the same, its tokens share that) or
    ``per_token`` (each loss token weighs the same). A rank without work in some pass gets a
    micro-batch of weight zero, because all ranks must take part in every collective call.
    """
    weights = _sample_token_weights(samples, loss)
    shares = [
        _cut(share, samples, micro_batch_tokens) for share in balance(samples, num_ranks=num_ranks)
    ]
    num_passes = max(len(share) for share in shares)
    idle = min(range(len(samples)), key=lambda index: len(samples[index].token_ids))
    return [
        [_lay_out(rows, samples, weights) for rows in share]
        + [_lay_out([idle], samples, np.zeros_like(weights))] * (num_passes - len(share))
        for share in shares
    ]


def balance(samples: Sequence[TrainingSample], *, num_ranks: int) -> list[list[int]]:
    """Indices for each rank, so that the ranks' total tokens differ by little.

    Longest first, each to the rank with the fewest tokens so far (Graham's rule: at most
    4/3 of the best possible split).
    """
    shares: list[list[int]] = [[] for _ in range(num_ranks)]
    loads = [0] * num_ranks
    for index in _longest_first(samples):
        rank = min(range(num_ranks), key=loads.__getitem__)
        shares[rank].append(index)
        loads[rank] += len(samples[index].token_ids)
    return shares


def split_updates(
    samples: Sequence[TrainingSample], num_updates: int
) -> list[Sequence[TrainingSample]]:
    """``num_updates`` consecutive parts of nearly equal size, none lost, none empty."""
    bounds = [len(samples) * part // num_updates for part in range(num_updates + 1)]
    parts = [samples[start:end] for start, end in itertools.pairwise(bounds)]
    return [part for part in parts if len(part)]


def _longest_first(samples: Sequence[TrainingSample]) -> list[int]:
    return sorted(range(len(samples)), key=lambda index: (-len(samples[index].token_ids), index))


def _sample_token_weights(samples: Sequence[TrainingSample], loss: str) -> np.ndarray:
    """[samples] weight of each loss token of a sample; all loss tokens' weights sum to one."""
    tokens = np.array([sample.num_loss_tokens for sample in samples], dtype=np.float64)
    if loss == "per_sample":
        return 1.0 / (len(samples) * tokens)
    return np.full(len(samples), 1.0 / tokens.sum())


def _cut(
    share: Sequence[int], samples: Sequence[TrainingSample], micro_batch_tokens: int
) -> list[list[int]]:
    """Consecutive runs of ``share`` (longest first) whose padded size fits the budget."""
    runs: list[list[int]] = []
    columns_prompt = columns_completion = 0
    for index in share:
        prompt = samples[index].num_prompt_tokens
        completion = len(samples[index].loss_mask)
        wide_prompt, wide_completion = (
            max(columns_prompt, prompt),
            max(columns_completion, completion),
        )
        if runs and (len(runs[-1]) + 1) * (wide_prompt + wide_completion) <= micro_batch_tokens:
            runs[-1].append(index)
            columns_prompt, columns_completion = wide_prompt, wide_completion
        else:
            runs.append([index])
            columns_prompt, columns_completion = prompt, completion
    return runs


def _lay_out(
    rows: Sequence[int], samples: Sequence[TrainingSample], weights: np.ndarray
) -> MicroBatch:
    num_prompt = max(samples[index].num_prompt_tokens for index in rows)
    num_completion = max(len(samples[index].loss_mask) for index in rows)
    shape = (len(rows), num_prompt + num_completion)
    token_ids = np.zeros(shape, dtype=np.int64)
    attention_mask = np.zeros(shape, dtype=bool)
    old_logprobs = np.zeros((len(rows), num_completion), dtype=np.float32)
    token_weights = np.zeros((len(rows), num_completion), dtype=np.float32)
    known = samples[rows[0]].proximal_logprobs is not None
    proximal_logprobs = np.zeros_like(old_logprobs) if known else None
    for row, index in enumerate(rows):
        sample = samples[index]
        start = num_prompt - sample.num_prompt_tokens
        length = len(sample.loss_mask)
        token_ids[row, start : num_prompt + length] = sample.token_ids
        attention_mask[row, start : num_prompt + length] = True
        old_logprobs[row, :length] = sample.old_logprobs
        if proximal_logprobs is not None:
            proximal_logprobs[row, :length] = sample.proximal_logprobs
        token_weights[row, :length] = sample.loss_mask * weights[index]
    return MicroBatch(
        token_ids=token_ids,
        attention_mask=attention_mask,
        num_completion_columns=num_completion,
        old_logprobs=old_logprobs,
        advantages=np.array([samples[index].advantage for index in rows], dtype=np.float32),
        token_weights=token_weights,
        sample_indices=tuple(rows),
        proximal_logprobs=proximal_logprobs,
    )
