"""Cutting a batch loses nothing, doubles nothing and changes no token's weight."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlcs.learner.packing import MicroBatch, balance, pack, split_updates
from rlcs.types import TrainingSample

LOSSES = ("per_sample", "per_token")


@st.composite
def batches(draw: st.DrawFn, min_size: int = 1) -> list[TrainingSample]:
    """Samples whose first token and advantage name them, each with at least one loss token."""
    samples = []
    for index in range(draw(st.integers(min_size, 12))):
        num_prompt, num_drawn = draw(st.integers(1, 9)), draw(st.integers(1, 12))
        mask = np.array(draw(st.lists(st.booleans(), min_size=num_drawn, max_size=num_drawn)))
        mask[draw(st.integers(0, num_drawn - 1))] = True
        samples.append(
            TrainingSample(
                token_ids=1000 * (index + 1) + np.arange(num_prompt + num_drawn),
                num_prompt_tokens=num_prompt,
                old_logprobs=-np.arange(1, num_drawn + 1, dtype=np.float32),
                loss_mask=mask,
                advantage=float(index),
            )
        )
    return samples


def working_rows(micro_batches: list[MicroBatch]) -> Iterator[tuple[MicroBatch, int]]:
    """The rows that carry a loss."""
    for micro_batch in micro_batches:
        for row in range(len(micro_batch.token_ids)):
            if micro_batch.token_weights[row].any():
                yield micro_batch, row


@given(batches(), st.sampled_from(LOSSES), st.integers(1, 4), st.integers(1, 120))
def test_every_row_is_recovered_once(samples, loss, num_ranks, budget) -> None:
    shares = pack(samples, loss=loss, num_ranks=num_ranks, micro_batch_tokens=budget)
    total_tokens = sum(sample.num_loss_tokens for sample in samples)
    found = []
    for micro_batch, row in working_rows(list(itertools.chain(*shares))):
        sample = samples[int(micro_batch.advantages[row])]
        found.append(int(micro_batch.advantages[row]))
        mask = micro_batch.attention_mask[row]
        assert micro_batch.token_ids[row][mask].tolist() == sample.token_ids.tolist()
        columns = micro_batch.num_completion_columns
        first = len(mask) - columns
        assert mask[:first].sum() == sample.num_prompt_tokens
        assert np.diff(np.flatnonzero(mask)).max(initial=1) == 1, "no gap in the row"
        length = len(sample.loss_mask)
        assert micro_batch.old_logprobs[row][:length].tolist() == sample.old_logprobs.tolist()
        weight = (
            1 / (len(samples) * sample.num_loss_tokens)
            if loss == "per_sample"
            else 1 / total_tokens
        )
        expected = np.zeros(columns)
        expected[:length] = sample.loss_mask * weight
        np.testing.assert_allclose(micro_batch.token_weights[row], expected, rtol=1e-6)
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
        rows, columns = micro_batch.token_ids.shape
        assert rows == 1 or rows * columns <= budget
        assert micro_batch.attention_mask.shape == (rows, columns)
        shape = (rows, micro_batch.num_completion_columns)
        assert micro_batch.old_logprobs.shape == micro_batch.token_weights.shape == shape
    working = len(list(working_rows(everything)))
    idle = [part for part in everything if not part.token_weights.any()]
    assert all(len(part.token_ids) == 1 for part in idle)
    assert working + len(idle) == sum(len(part.token_ids) for part in everything)


@given(batches(), st.integers(1, 5))
def test_balance(samples, num_ranks) -> None:
    shares = balance(samples, num_ranks=num_ranks)
    assert sorted(itertools.chain(*shares)) == list(range(len(samples)))
    lengths = [len(sample.token_ids) for sample in samples]
    loads = [sum(lengths[index] for index in share) for share in shares]
    assert max(loads) - min(loads) <= max(lengths)
    for share in shares:
        assert [lengths[index] for index in share] == sorted(
            (lengths[index] for index in share), reverse=True
        )
    assert balance(samples, num_ranks=num_ranks) == shares, "the same batch is cut the same way"


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
