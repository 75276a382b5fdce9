"""A batch of samples as packed rows of equal work on every rank.

A micro-batch is one row without padding: each prompt once, behind it the completions that answer
it. Such a :class:`Tree` is computed as a trunk with branches: a completion sees its prompt and
itself, nothing else (``rlcs.learner.attention``). So a prompt of P tokens with G completions costs
P instead of G times P, forward and backward, and pictures go through the vision tower once.

The weight of every token in the loss of the whole batch is fixed here, before anything is cut. A
micro-batch's loss is then the plain weighted sum of its token losses, and the sum over
micro-batches and ranks is the loss of the whole batch, however it was cut: gradient accumulation
is exact, not a mean of means.

Groups are cut into as few parts as the budget allows, and into more where the ranks could not
share the work evenly otherwise: each further part computes its prompt once more. All layouts
between the two are tried, and the one that ends first is taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rlcs.types import Image, TrainingSample, Video

SPARE_PASSES = (0, 1, 2)
PASS_TOKENS = 64
"""To call the model once more costs about as much as so many tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A prompt and the completions behind it, as lengths in tokens."""

    num_prompt_tokens: int
    completion_lengths: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        """All of its tokens."""
        return self.num_prompt_tokens + sum(self.completion_lengths)

    @property
    def num_pairs(self) -> float:
        """How many pairs of tokens see one another."""
        prompt = self.num_prompt_tokens
        return prompt**2 / 2 + sum(
            length * prompt + length**2 / 2 for length in self.completion_lengths
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkModel:
    """What a tree costs, in units of one token's way through the linear layers.

    The two numbers follow from a model's shape (``rlcs.learner.policy.work_model``).
    """

    pairs_per_token: float = 2048.0
    """So many pairs in the attention cost as much as one token."""
    image_token: float = 0.0
    """What a picture's token costs in the vision tower, besides its way through the model."""

    def of(self, tree: Tree, num_image_tokens: int) -> float:
        """The work of ``tree``, of whose prompt ``num_image_tokens`` are pictures."""
        return (
            tree.num_tokens
            + tree.num_pairs / self.pairs_per_token
            + num_image_tokens * self.image_token
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MicroBatch:
    """One packed row of L tokens, R completions in it, K of its tokens with a loss."""

    token_ids: np.ndarray
    """[L] int64, tree after tree."""
    trees: tuple[Tree, ...]
    """In the order of the tokens."""
    images: tuple[tuple[Image | Video, ...], ...]
    """The pictures of each tree's prompt."""
    needs_vision: bool
    """Whether the vision tower must run even if there is no picture here: any micro-batch of the
    batch has one, and all ranks must have gradients of the same parameters."""
    read_at: np.ndarray
    """[K] int64, the place in the row whose output predicts the token."""
    targets: np.ndarray
    """[K] int64, the tokens themselves."""
    row_of_token: np.ndarray
    """[K] int64, the completion, in [0, R), that each belongs to."""
    old_logprobs: np.ndarray
    """[K] float32"""
    advantages: np.ndarray
    """[R] float32"""
    token_weights: np.ndarray
    """[K] float32, the token's weight in the loss of the whole batch."""
    sample_indices: tuple[int, ...]
    """[R] index in the batch of the sample that each completion is of."""
    proximal_logprobs: np.ndarray | None = None
    """[K] float32, where the samples have them."""


def pack(
    samples: Sequence[TrainingSample],
    *,
    loss: str,
    num_ranks: int,
    micro_batch_tokens: int,
    work: WorkModel | None = None,
    token_budget: int = 1,
) -> list[list[MicroBatch]]:
    """Micro-batches for each of ``num_ranks`` ranks, the same number for every rank.

    ``loss`` is ``per_sample`` (each sample weighs the same, its tokens share that), ``per_token``
    (each loss token weighs the same) or ``constant`` (each loss token weighs the same in every
    batch: the samples times ``token_budget``, the most tokens of a completion, is the divisor; Dr.
    GRPO, arXiv 2503.20783). A prompt and completion that are longer than
    ``micro_batch_tokens`` together are a micro-batch of their own. A rank without work in some
    pass gets a micro-batch of weight zero, because all ranks must take part in every collective
    call.
    """
    weights = _sample_token_weights(samples, loss, token_budget)
    batch = _Batch(samples, work or WorkModel())
    layouts = (
        batch.lay_out(largest, num_ranks, micro_batch_tokens, spare_passes)
        for largest in batch.part_sizes()
        for spare_passes in SPARE_PASSES
    )
    passes = min(layouts, key=batch.duration)
    shortest = min(range(len(samples)), key=lambda index: len(samples[index].token_ids))
    needs_vision = any(sample.images for sample in samples)

    def micro_batch(parts: Sequence[Sequence[int]]) -> MicroBatch:
        if parts:
            return _fill(parts, batch, weights, needs_vision)
        return _fill([[shortest]], batch, np.zeros_like(weights), needs_vision)

    shares: list[list[MicroBatch]] = [[] for _ in range(num_ranks)]
    for one_pass in passes:
        for share, parts in zip(shares, one_pass, strict=True):
            share.append(micro_batch(parts))
    return shares


def split_updates(
    samples: Sequence[TrainingSample], num_updates: int
) -> list[Sequence[TrainingSample]]:
    """``num_updates`` consecutive parts of nearly equal size, none lost, none empty."""
    bounds = [len(samples) * part // num_updates for part in range(num_updates + 1)]
    parts = [samples[start:end] for start, end in itertools.pairwise(bounds)]
    return [part for part in parts if len(part)]


def _sample_token_weights(
    samples: Sequence[TrainingSample], loss: str, token_budget: int
) -> np.ndarray:
    """[samples] weight of each loss token of a sample; but for ``constant`` all sum to one."""
    if loss == "constant":
        return np.full(len(samples), 1.0 / (len(samples) * token_budget))
    tokens = np.array([sample.num_loss_tokens for sample in samples], dtype=np.float64)
    if loss == "per_sample":
        return 1.0 / (len(samples) * tokens)
    return np.full(len(samples), 1.0 / tokens.sum())


@dataclass(frozen=True, kw_only=True, slots=True)
class _PartSize:
    """A bound on parts."""

    rows: float = math.inf
    work: float = math.inf


class _Batch:
    """The samples of a batch, and the ways to lay them out.

    A part is a list of indices of samples with the same prompt: it becomes a tree. A pass is a
    list with the parts of each rank's micro-batch.
    """

    def __init__(self, samples: Sequence[TrainingSample], work: WorkModel) -> None:
        self.samples = samples
        self.work = work
        self.lengths = [len(sample.loss_mask) for sample in samples]
        groups: dict[tuple[bytes, tuple[Image | Video, ...]], list[int]] = {}
        for index in sorted(range(len(samples)), key=lambda i: (-self.lengths[i], i)):
            sample = samples[index]
            prompt = sample.token_ids[: sample.num_prompt_tokens].tobytes()
            groups.setdefault((prompt, sample.images), []).append(index)
        self.groups = list(groups.values())
        """Indices of the samples of each prompt, longest completions first."""

    def part_sizes(self) -> Iterator[_PartSize]:
        """How large parts may be: whole groups, then half of them, and so on until each part is
        one sample; by rows, which suits groups that are alike, and by work, which cuts the dear
        groups alone."""
        rows = max(map(len, self.groups))
        while rows > 1:
            yield _PartSize(rows=rows)
            rows = -(-rows // 2)
        work = max(map(self.cost, self.groups)) / 2
        smallest = min(self.cost([index]) for index in range(len(self.samples)))
        while work > smallest:
            yield _PartSize(work=work)
            work /= 2
        yield _PartSize(rows=1)

    def lay_out(
        self, largest: _PartSize, num_ranks: int, budget: int, spare_passes: int
    ) -> list[list[list[list[int]]]]:
        """The passes, each group cut into parts that are not larger than ``largest``.

        Where the budget leaves no choice, ``spare_passes`` more than needed leave some.
        """
        parts = [part for group in self.groups for part in self._cut(group, largest, budget)]
        parts.sort(key=lambda part: (-self.cost(part), part))
        sizes = [self.tree(part).num_tokens for part in parts]
        num_alone = sum(size > budget for size in sizes)
        num_bins = num_alone + -(-sum(size for size in sizes if size <= budget) // budget)
        num_bins = num_ranks * (-(-num_bins // num_ranks) + spare_passes)
        while (bins := self._place(parts, num_bins, budget)) is None:
            num_bins += num_ranks
        bins.sort(key=self.bin_cost, reverse=True)
        return self._deal(bins, num_ranks)

    def tree(self, part: Sequence[int]) -> Tree:
        """The tree that ``part`` becomes."""
        return Tree(
            num_prompt_tokens=self.samples[part[0]].num_prompt_tokens,
            completion_lengths=tuple(self.lengths[index] for index in part),
        )

    def cost(self, part: Sequence[int]) -> float:
        """The work of ``part``."""
        # What a picture becomes is not known here: its share of a prompt is most of it.
        first = self.samples[part[0]]
        return self.work.of(self.tree(part), first.num_prompt_tokens if first.images else 0)

    def bin_cost(self, parts: Sequence[Sequence[int]]) -> float:
        """The work of a micro-batch made of ``parts``."""
        return sum(map(self.cost, parts))

    def duration(self, passes: Sequence[Sequence[Sequence[Sequence[int]]]]) -> float:
        """The work until all ranks are done: in every pass they wait for the one with the most."""
        return sum(PASS_TOKENS + max(map(self.bin_cost, one_pass)) for one_pass in passes)

    def _cut(self, group: Sequence[int], largest: _PartSize, budget: int) -> Iterator[list[int]]:
        """``group`` in parts that fit ``budget`` and ``largest``, or are one row."""
        part: list[int] = []
        for index in group:
            longer = [*part, index]
            fits = (
                self.tree(longer).num_tokens <= budget
                and len(longer) <= largest.rows
                and self.cost(longer) <= largest.work
            )
            if part and not fits:
                yield part
                longer = [index]
            part = longer
        yield part

    def _place(
        self, parts: Sequence[list[int]], num_bins: int, budget: int
    ) -> list[list[list[int]]] | None:
        """``parts``, dearest first, each into the bin with the least work that has room.

        None where one finds no room. (Graham's rule: at most 4/3 of the best possible split.)
        """
        bins: list[list[list[int]]] = [[] for _ in range(num_bins)]
        work, room = [0.0] * num_bins, [budget] * num_bins
        for part in parts:
            size = self.tree(part).num_tokens
            # What is larger than the budget runs alone.
            fitting = (
                [number for number in range(num_bins) if room[number] >= size]
                if size <= budget
                else [number for number in range(num_bins) if not bins[number]]
            )
            if not fitting:
                return None
            chosen = min(fitting, key=work.__getitem__)
            bins[chosen].append(part)
            work[chosen] += self.cost(part)
            room[chosen] -= size
        return bins

    def _deal(self, bins: Sequence[list[list[int]]], num_ranks: int) -> list[list[list[list[int]]]]:
        """``bins``, dearest first, in passes of like work; the rank with the least gets most."""
        totals = [0.0] * num_ranks
        passes = []
        for start in range(0, len(bins), num_ranks):
            one_pass: list[list[list[int]]] = [[] for _ in range(num_ranks)]
            ranks = sorted(range(num_ranks), key=totals.__getitem__)
            for rank, parts in zip(ranks, bins[start : start + num_ranks], strict=True):
                one_pass[rank] = parts
                totals[rank] += self.bin_cost(parts)
            passes.append(one_pass)
        return passes


def _fill(
    parts: Sequence[Sequence[int]], batch: _Batch, weights: np.ndarray, needs_vision: bool
) -> MicroBatch:
    rows = [index for part in parts for index in part]
    samples = [batch.samples[index] for index in rows]
    token_ids: list[np.ndarray] = []
    read_at: list[np.ndarray] = []
    end = 0
    for part in parts:
        first = batch.samples[part[0]]
        prompt = first.token_ids[: first.num_prompt_tokens]
        token_ids.append(prompt)
        end += len(prompt)
        last_of_prompt = end - 1
        for index in part:
            sample = batch.samples[index]
            token_ids.append(sample.token_ids[sample.num_prompt_tokens :])
            before = np.arange(end - 1, end - 1 + len(sample.loss_mask))
            before[0] = last_of_prompt
            read_at.append(before[sample.loss_mask])
            end += len(sample.loss_mask)
    proximal = [sample.proximal_logprobs for sample in samples]
    return MicroBatch(
        token_ids=np.concatenate(token_ids),
        trees=tuple(batch.tree(part) for part in parts),
        images=tuple(batch.samples[part[0]].images for part in parts),
        needs_vision=needs_vision,
        read_at=np.concatenate(read_at),
        targets=_of_loss_tokens(
            [sample.token_ids[sample.num_prompt_tokens :] for sample in samples], samples
        ),
        row_of_token=np.repeat(np.arange(len(rows)), [s.num_loss_tokens for s in samples]),
        old_logprobs=_of_loss_tokens([sample.old_logprobs for sample in samples], samples),
        advantages=np.array([sample.advantage for sample in samples], dtype=np.float32),
        token_weights=np.repeat(weights[rows], [s.num_loss_tokens for s in samples]).astype(
            np.float32
        ),
        sample_indices=tuple(rows),
        proximal_logprobs=None
        if proximal[0] is None
        else _of_loss_tokens([each for each in proximal if each is not None], samples),
    )


def _of_loss_tokens(arrays: Sequence[np.ndarray], samples: Sequence[TrainingSample]) -> np.ndarray:
    """[K] the entries of ``arrays`` [T] that belong to tokens with a loss."""
    return np.concatenate(
        [array[sample.loss_mask] for array, sample in zip(arrays, samples, strict=True)]
    )
