"""Cutting a batch of samples into micro-batches of equal work on every rank.

The weight of every token in the loss of the whole batch is fixed here, before anything is
cut. A micro-batch's loss is then the plain weighted sum of its token losses, and the sum
over micro-batches and ranks is the loss of the whole batch, however it was cut: gradient
accumulation is exact, not a mean of means.

The completions of a group share their prompt, and a micro-batch holds a prompt once: the model
reads it once, forward and backward, and not once a completion. Keeping a group together pads
its short completions to its longest, sorting all completions by length pads little but scatters
the groups. So a batch is laid out in several ways between the two, and the one whose busiest
rank computes the fewest tokens is taken.

Left out: several completions in one row. It needs an attention kernel for variable lengths.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rlcs.types import Image, TrainingSample


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MicroBatch:
    """Rows for one forward and backward pass: N prompts of P columns, R completions of T."""

    prompt_ids: np.ndarray
    """[N, P] int64, flush right; every prompt once."""
    prompt_mask: np.ndarray
    """[N, P] bool"""
    prompt_of_row: np.ndarray
    """[R] int64, the prompt that each completion answers."""
    completion_ids: np.ndarray
    """[R, T] int64, flush left."""
    completion_mask: np.ndarray
    """[R, T] bool"""
    shares_prompts: bool
    """Whether any micro-batch of the whole batch has fewer prompts than completions. The same
    for all of a batch, so that all ranks call the model equally often (ZeRO-3 needs that)."""
    old_logprobs: np.ndarray
    """[R, T] float32"""
    advantages: np.ndarray
    """[R] float32"""
    token_weights: np.ndarray
    """[R, T] float32, the token's weight in the loss of the whole batch; 0 carries no loss."""
    sample_indices: tuple[int, ...]
    """[R] index in the batch of the sample that each row holds."""
    proximal_logprobs: np.ndarray | None = None
    """[R, T] float32, where the samples have them."""
    images: tuple[Image, ...] = ()
    """The pictures of all prompts, in the order of the prompts."""


def pack(
    samples: Sequence[TrainingSample], *, loss: str, num_ranks: int, micro_batch_tokens: int
) -> list[list[MicroBatch]]:
    """Micro-batches for each of ``num_ranks`` ranks, the same number for every rank.

    ``loss`` is ``per_sample`` (each sample weighs the same, its tokens share that) or
    ``per_token`` (each loss token weighs the same). A rank without work in some pass gets a
    micro-batch of weight zero, because all ranks must take part in every collective call.
    """
    weights = _sample_token_weights(samples, loss)
    batch = _Batch(samples)
    shares = min(
        (
            batch.lay_out(num_shards, num_ranks, micro_batch_tokens)
            for num_shards in batch.shard_counts()
        ),
        key=batch.cost,
    )
    num_passes = max(len(share) for share in shares)
    idle = min(range(len(samples)), key=lambda index: len(samples[index].token_ids))
    shares_prompts = any(
        batch.num_prompts(row_indices) < len(row_indices)
        for share in shares
        for row_indices in share
    )

    def micro_batch(row_indices: Sequence[int], weights: np.ndarray) -> MicroBatch:
        return _fill(row_indices, batch, weights, shares_prompts)

    return [
        [micro_batch(row_indices, weights) for row_indices in share]
        + [micro_batch([idle], np.zeros_like(weights))] * (num_passes - len(share))
        for share in shares
    ]


def balance(costs: Sequence[int], *, num_ranks: int) -> list[list[int]]:
    """Indices of ``costs`` for each rank, so that the ranks' totals differ by little.

    Dearest first, each to the rank with the least so far (Graham's rule: at most
    4/3 of the best possible split).
    """
    shares: list[list[int]] = [[] for _ in range(num_ranks)]
    loads = [0] * num_ranks
    for index in sorted(range(len(costs)), key=lambda index: (-costs[index], index)):
        rank = min(range(num_ranks), key=loads.__getitem__)
        shares[rank].append(index)
        loads[rank] += costs[index]
    return shares


def split_updates(
    samples: Sequence[TrainingSample], num_updates: int
) -> list[Sequence[TrainingSample]]:
    """``num_updates`` consecutive parts of nearly equal size, none lost, none empty."""
    bounds = [len(samples) * part // num_updates for part in range(num_updates + 1)]
    parts = [samples[start:end] for start, end in itertools.pairwise(bounds)]
    return [part for part in parts if len(part)]


def _sample_token_weights(samples: Sequence[TrainingSample], loss: str) -> np.ndarray:
    """[samples] weight of each loss token of a sample; all loss tokens' weights sum to one."""
    tokens = np.array([sample.num_loss_tokens for sample in samples], dtype=np.float64)
    if loss == "per_sample":
        return 1.0 / (len(samples) * tokens)
    return np.full(len(samples), 1.0 / tokens.sum())


class _Batch:
    """The samples of a batch, and the ways to lay them out.

    ``row_indices`` are the indices of the samples that become the rows of one micro-batch.
    """

    def __init__(self, samples: Sequence[TrainingSample]) -> None:
        self.samples = samples
        self.prompt_lengths = [sample.num_prompt_tokens for sample in samples]
        self.lengths = [len(sample.loss_mask) for sample in samples]
        numbers: dict[tuple[bytes, tuple[Image, ...]], int] = {}
        self.prompts = [
            numbers.setdefault(
                (sample.token_ids[: sample.num_prompt_tokens].tobytes(), sample.images),
                len(numbers),
            )
            for sample in samples
        ]
        """The number of each sample's prompt; equal prompts have equal numbers."""

    def shard_counts(self) -> Iterator[int]:
        """In how many shards to cut each group: 1, 2, 4, ... until each shard is one sample."""
        largest = max(map(len, self._groups()))
        count = 1
        while count < 2 * largest:
            yield count
            count *= 2

    def lay_out(
        self, num_shards: int, num_ranks: int, micro_batch_tokens: int
    ) -> list[list[list[int]]]:
        """Row indices of each micro-batch of each rank.

        Each group is cut into ``num_shards`` shards by completion length, and a shard stays on one
        rank.
        """
        shards = [shard for group in self._groups() for shard in _shards(group, num_shards)]
        costs = [
            self.prompt_lengths[shard[0]] + sum(self.lengths[index] for index in shard)
            for shard in shards
        ]
        return [
            self._cut([shards[number] for number in share], micro_batch_tokens)
            for share in balance(costs, num_ranks=num_ranks)
        ]

    def cost(self, shares: Sequence[Sequence[Sequence[int]]]) -> int:
        """Tokens that the busiest rank computes, padding included."""
        return max(sum(self._num_tokens(row_indices) for row_indices in share) for share in shares)

    def num_prompts(self, row_indices: Sequence[int]) -> int:
        """How many different prompts a micro-batch has."""
        return len({self.prompts[index] for index in row_indices})

    def _num_tokens(self, row_indices: Sequence[int]) -> int:
        prompt_columns = max(self.prompt_lengths[index] for index in row_indices)
        columns = max(self.lengths[index] for index in row_indices)
        return self.num_prompts(row_indices) * prompt_columns + len(row_indices) * columns

    def _groups(self) -> list[list[int]]:
        """Indices of the samples of each prompt, longest completions first."""
        groups: dict[int, list[int]] = {}
        for index in sorted(range(len(self.samples)), key=lambda i: (-self.lengths[i], i)):
            groups.setdefault(self.prompts[index], []).append(index)
        return list(groups.values())

    def _cut(self, shards: list[list[int]], micro_batch_tokens: int) -> list[list[int]]:
        """Row indices of micro-batches that fit the budget, the shards taken longest first."""
        shards.sort(
            key=lambda shard: (-self.lengths[shard[0]], -self.prompt_lengths[shard[0]], shard)
        )
        micro_batches: list[list[int]] = []
        prompts: set[int] = set()
        prompt_columns = columns = 0
        for index in itertools.chain.from_iterable(shards):
            prompts.add(self.prompts[index])
            prompt_columns = max(prompt_columns, self.prompt_lengths[index])
            columns = max(columns, self.lengths[index])
            num_rows = len(micro_batches[-1]) + 1 if micro_batches else 1
            size = len(prompts) * prompt_columns + columns * num_rows
            if micro_batches and size <= micro_batch_tokens:
                micro_batches[-1].append(index)
            else:
                micro_batches.append([index])
                prompts = {self.prompts[index]}
                prompt_columns, columns = self.prompt_lengths[index], self.lengths[index]
        return micro_batches


def _shards(group: Sequence[int], num_shards: int) -> Iterator[list[int]]:
    """``group`` in consecutive shards of nearly equal size, none empty."""
    bounds = [len(group) * part // num_shards for part in range(num_shards + 1)]
    for start, end in itertools.pairwise(bounds):
        if start < end:
            yield list(group[start:end])


def _fill(
    row_indices: Sequence[int], batch: _Batch, weights: np.ndarray, shares_prompts: bool
) -> MicroBatch:
    rows = [batch.samples[index] for index in row_indices]
    first_of_prompt: dict[int, int] = {}
    for index in row_indices:
        first_of_prompt.setdefault(batch.prompts[index], index)
    order = {prompt: number for number, prompt in enumerate(first_of_prompt)}
    firsts = [batch.samples[index] for index in first_of_prompt.values()]
    num_prompt = max(sample.num_prompt_tokens for sample in firsts)
    prompt_ids = np.zeros((len(firsts), num_prompt), dtype=np.int64)
    prompt_mask = np.zeros(prompt_ids.shape, dtype=bool)
    for number, sample in enumerate(firsts):
        start = num_prompt - sample.num_prompt_tokens
        prompt_ids[number, start:] = sample.token_ids[: sample.num_prompt_tokens]
        prompt_mask[number, start:] = True
    shape = (len(rows), max(len(sample.loss_mask) for sample in rows))
    completion_ids = np.zeros(shape, dtype=np.int64)
    completion_mask = np.zeros(shape, dtype=bool)
    old_logprobs = np.zeros(shape, dtype=np.float32)
    token_weights = np.zeros(shape, dtype=np.float32)
    known = rows[0].proximal_logprobs is not None
    proximal_logprobs = np.zeros_like(old_logprobs) if known else None
    for row, (index, sample) in enumerate(zip(row_indices, rows, strict=True)):
        length = len(sample.loss_mask)
        completion_ids[row, :length] = sample.token_ids[sample.num_prompt_tokens :]
        completion_mask[row, :length] = True
        old_logprobs[row, :length] = sample.old_logprobs
        if proximal_logprobs is not None:
            proximal_logprobs[row, :length] = sample.proximal_logprobs
        token_weights[row, :length] = sample.loss_mask * weights[index]
    return MicroBatch(
        prompt_ids=prompt_ids,
        prompt_mask=prompt_mask,
        prompt_of_row=np.array([order[batch.prompts[index]] for index in row_indices]),
        completion_ids=completion_ids,
        completion_mask=completion_mask,
        shares_prompts=shares_prompts,
        old_logprobs=old_logprobs,
        advantages=np.array([sample.advantage for sample in rows], dtype=np.float32),
        token_weights=token_weights,
        sample_indices=tuple(row_indices),
        proximal_logprobs=proximal_logprobs,
        images=tuple(image for sample in firsts for image in sample.images),
    )
