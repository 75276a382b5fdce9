"""Cutting a batch loses nothing, doubles nothing and changes no token's weight."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlcs.learner.packing import MicroBatch, WorkModel, pack, split_updates
from rlcs.types import Image, TrainingSample

LOSSES = ("per_sample", "per_token")


@st.composite
def batches(draw: st.DrawFn, min_size: int = 1) -> list[TrainingSample]:
    """Groups of one to five samples; the advantage names a sample, the first token its prompt."""
    samples: list[TrainingSample] = []
    for group in range(draw(st.integers(min_size, 5))):
        prompt = 1000 * (group + 1) + np.arange(draw(st.integers(1, 9)))
        for _ in range(draw(st.integers(1, 5))):
            num_drawn = draw(st.integers(1, 12))
            mask = np.array(draw(st.lists(st.booleans(), min_size=num_drawn, max_size=num_drawn)))
            mask[draw(st.integers(0, num_drawn - 1))] = True
            drawn = 100 * (len(samples) + 1) + np.arange(num_drawn)
            samples.append(
                TrainingSample(
                    token_ids=np.concatenate([prompt, drawn]),
                    num_prompt_tokens=len(prompt),
                    old_logprobs=-np.arange(1, num_drawn + 1, dtype=np.float32),
                    loss_mask=mask,
                    advantage=float(len(samples)),
                )
            )
    return samples


def working(micro_batches: list[MicroBatch]) -> list[MicroBatch]:
    """Those that carry a loss."""
    return [each for each in micro_batches if each.token_weights.any()]


def rows_of(micro_batch: MicroBatch) -> Iterator[np.ndarray]:
    """The tokens of each prompt with each of its completions."""
    end = 0
    for tree in micro_batch.trees:
        start, end = end, end + tree.num_prompt_tokens
        prompt = micro_batch.token_ids[start:end]
        for length in tree.completion_lengths:
            yield np.concatenate([prompt, micro_batch.token_ids[end : end + length]])
            end += length
    assert end == len(micro_batch.token_ids), "no padding"


@given(batches(), st.sampled_from(LOSSES), st.integers(1, 4), st.integers(1, 120))
def test_every_row_is_recovered_once(samples, loss, num_ranks, budget) -> None:
    shares = pack(samples, loss=loss, num_ranks=num_ranks, micro_batch_tokens=budget)
    total_tokens = sum(sample.num_loss_tokens for sample in samples)
    found = []
    for micro_batch in working(list(itertools.chain(*shares))):
        for row, token_ids in enumerate(rows_of(micro_batch)):
            index = micro_batch.sample_indices[row]
            sample, here = samples[index], micro_batch.row_of_token == row
            found.append(index)
            assert micro_batch.advantages[row] == sample.advantage
            assert token_ids.tolist() == sample.token_ids.tolist()
            drawn = sample.token_ids[sample.num_prompt_tokens :]
            assert micro_batch.targets[here].tolist() == drawn[sample.loss_mask].tolist()
            assert (
                micro_batch.old_logprobs[here].tolist()
                == sample.old_logprobs[sample.loss_mask].tolist()
            )
            before = sample.token_ids[sample.num_prompt_tokens - 1 : -1][sample.loss_mask]
            read = micro_batch.token_ids[micro_batch.read_at[here]]
            assert read.tolist() == before.tolist(), "each is predicted from the token before it"
            weight = (
                1 / (len(samples) * sample.num_loss_tokens)
                if loss == "per_sample"
                else 1 / total_tokens
            )
            np.testing.assert_allclose(micro_batch.token_weights[here], weight, rtol=1e-6)
    assert sorted(found) == list(range(len(samples)))


@given(batches(), st.sampled_from(LOSSES), st.integers(1, 4), st.integers(1, 120))
def test_weights_budgets_and_equal_passes(samples, loss, num_ranks, budget) -> None:
    shares = pack(samples, loss=loss, num_ranks=num_ranks, micro_batch_tokens=budget)
    assert len(shares) == num_ranks
    assert len({len(share) for share in shares}) == 1, "ranks pass equally often"
    everything = list(itertools.chain(*shares))
    total = sum(micro_batch.token_weights.sum(dtype=np.float64) for micro_batch in everything)
    assert total == pytest.approx(1, rel=1e-5)
    for micro_batch in everything:
        rows = len(micro_batch.sample_indices)
        assert rows == 1 or len(micro_batch.token_ids) <= budget
        num_tokens = len(micro_batch.targets)
        assert micro_batch.read_at.shape == micro_batch.row_of_token.shape == (num_tokens,)
        assert micro_batch.old_logprobs.shape == micro_batch.token_weights.shape == (num_tokens,)
        assert micro_batch.advantages.shape == (rows,)
        assert rows == sum(len(tree.completion_lengths) for tree in micro_batch.trees)
        assert len(micro_batch.images) == len(micro_batch.trees)
        assert not micro_batch.needs_vision
    idle = len(everything) - len(working(everything))
    assert idle < num_ranks * len(shares[0])
    assert all(share[0].token_weights.any() for share in shares[:1]), "the first has work"


def _sample(prompt: int, num_prompt: int, num_drawn: int) -> TrainingSample:
    return TrainingSample(
        token_ids=np.concatenate([np.full(num_prompt, prompt), np.ones(num_drawn, dtype=int)]),
        num_prompt_tokens=num_prompt,
        old_logprobs=np.zeros(num_drawn, dtype=np.float32),
        loss_mask=np.ones(num_drawn, dtype=bool),
        advantage=1.0,
    )


def test_a_prompt_is_there_once_where_the_budget_allows() -> None:
    samples = [_sample(prompt, 50, length) for prompt in (1, 2) for length in (10, 9, 9, 2)]
    (share,) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=200)
    assert [len(micro_batch.token_ids) for micro_batch in share] == [160]
    (share,) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=80)
    assert [len(micro_batch.token_ids) for micro_batch in share] == [80, 80]
    (share,) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=70)
    assert sum(len(micro_batch.token_ids) for micro_batch in share) == 2 * (2 * 50 + 30)


def test_a_row_longer_than_the_budget_runs_alone() -> None:
    samples = [_sample(1, 10, 200), _sample(1, 10, 5), _sample(2, 10, 5)]
    (share,) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=50)
    assert [len(micro_batch.token_ids) for micro_batch in share] == [210, 30]


def test_few_groups_are_spread_over_many_ranks() -> None:
    """One group on four ranks: reading its prompt once would leave three of them idle."""
    samples = [_sample(1, 10, 50)] * 8
    shares = pack(samples, loss="per_token", num_ranks=4, micro_batch_tokens=1000)
    assert [[len(each.token_ids) for each in share] for share in shares] == [[10 + 2 * 50]] * 4


def test_a_picture_anywhere_is_known_everywhere() -> None:
    image = Image(name="x", digest="x", width=1, height=1, stored=b"")
    samples = [_sample(1, 10, 50), dataclasses.replace(_sample(2, 10, 50), images=(image,))]
    shares = pack(samples, loss="per_token", num_ranks=3, micro_batch_tokens=1000)
    assert [share[0].needs_vision for share in shares] == [True] * 3
    assert sorted(share[0].images for share in shares) == [((),), ((),), ((image,),)]


@pytest.mark.parametrize("num_ranks", [2, 4, 8])
@pytest.mark.parametrize("seed", range(3))
def test_ranks_share_long_tailed_work_evenly(num_ranks: int, seed: int) -> None:
    """Lengths are log-normal, the longest about 20 times the median; the attention counts."""
    draw = np.random.default_rng(seed)
    lengths = np.clip(draw.lognormal(6.0, 1.0, 512), 16, 20 * np.exp(6.0)).astype(int)
    samples = [_sample(index // 8, 200, length) for index, length in enumerate(lengths)]
    work = WorkModel(pairs_per_token=4096.0)
    shares = pack(
        samples, loss="per_token", num_ranks=num_ranks, micro_batch_tokens=16384, work=work
    )
    loads = np.array(
        [
            [sum(work.of(tree, 0) for tree in micro_batch.trees) for micro_batch in share]
            for share in shares
        ]
    )
    waited = loads.max(axis=0).sum() / loads.sum(axis=1).mean() - 1
    assert waited <= 0.03, "in every pass all ranks wait for the one with the most work"


def test_fewer_samples_than_ranks(make_samples) -> None:
    shares = pack(make_samples(1), loss="per_token", num_ranks=3, micro_batch_tokens=100)
    assert [len(share) for share in shares] == [1, 1, 1]
    assert [share[0].token_weights.sum() > 0 for share in shares].count(True) == 1


@given(batches(min_size=0), st.integers(1, 15))
def test_split_updates(samples, num_updates) -> None:
    parts = split_updates(samples, num_updates)
    assert [sample for part in parts for sample in part] == list(samples)
    sizes = [len(part) for part in parts]
    assert 0 not in sizes
    assert len(parts) == min(num_updates, len(samples))
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
