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


def working_rows(micro_batches: list[MicroBatch]) -> Iterator[tuple[MicroBatch, int]]:
    """The rows that carry a loss."""
    for micro_batch in micro_batches:
        for row in range(len(micro_batch.completion_ids)):
            if micro_batch.token_weights[row].any():
                yield micro_batch, row


def num_tokens(micro_batch: MicroBatch) -> int:
    """What the model is run on."""
    return micro_batch.prompt_ids.size + micro_batch.completion_ids.size


@given(batches(), st.sampled_from(LOSSES), st.integers(1, 4), st.integers(1, 120))
def test_every_row_is_recovered_once(samples, loss, num_ranks, budget) -> None:
    shares = pack(samples, loss=loss, num_ranks=num_ranks, micro_batch_tokens=budget)
    total_tokens = sum(sample.num_loss_tokens for sample in samples)
    found = []
    for micro_batch, row in working_rows(list(itertools.chain(*shares))):
        sample = samples[int(micro_batch.advantages[row])]
        found.append(int(micro_batch.advantages[row]))
        prompt = micro_batch.prompt_of_row[row]
        in_prompt = micro_batch.prompt_mask[prompt]
        assert (np.diff(in_prompt.astype(int)) >= 0).all(), "prompts end in the last column"
        length = len(sample.loss_mask)
        expected_mask = np.arange(len(micro_batch.completion_mask[row])) < length
        assert micro_batch.completion_mask[row].tolist() == expected_mask.tolist()
        tokens = np.concatenate(
            [micro_batch.prompt_ids[prompt][in_prompt], micro_batch.completion_ids[row][:length]]
        )
        assert tokens.tolist() == sample.token_ids.tolist()
        assert micro_batch.old_logprobs[row][:length].tolist() == sample.old_logprobs.tolist()
        weight = (
            1 / (len(samples) * sample.num_loss_tokens)
            if loss == "per_sample"
            else 1 / total_tokens
        )
        expected = np.zeros(len(expected_mask))
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
        rows = len(micro_batch.completion_ids)
        assert rows == 1 or num_tokens(micro_batch) <= budget
        assert micro_batch.prompt_mask.shape == micro_batch.prompt_ids.shape
        shape = micro_batch.completion_ids.shape
        assert micro_batch.completion_mask.shape == shape
        assert micro_batch.old_logprobs.shape == micro_batch.token_weights.shape == shape
        prompts = {tuple(ids) for ids in micro_batch.prompt_ids.tolist()}
        assert len(prompts) == len(micro_batch.prompt_ids), "a prompt is there once"
        assert set(micro_batch.prompt_of_row) == set(range(len(prompts))), "and is answered"
    shared = any(len(part.prompt_ids) < len(part.completion_ids) for part in everything)
    assert {part.shares_prompts for part in everything} == {shared}, "ranks call in step"
    working = len(list(working_rows(everything)))
    idle = [part for part in everything if not part.token_weights.any()]
    assert all(len(part.completion_ids) == 1 for part in idle)
    assert working + len(idle) == sum(len(part.completion_ids) for part in everything)


def _sample(prompt: int, num_prompt: int, num_drawn: int) -> TrainingSample:
    return TrainingSample(
        token_ids=np.concatenate([np.full(num_prompt, prompt), np.ones(num_drawn, dtype=int)]),
        num_prompt_tokens=num_prompt,
        old_logprobs=np.zeros(num_drawn, dtype=np.float32),
        loss_mask=np.ones(num_drawn, dtype=bool),
        advantage=1.0,
    )


@pytest.mark.parametrize(
    ("num_prompt", "lengths", "expected"),
    [
        pytest.param(50, [10] * 4, 2 * (50 + 40), id="alike: each group in one micro-batch"),
        pytest.param(50, [10, 9, 9, 2], 2 * (50 + 40), id="long prompts are worth some padding"),
        pytest.param(
            1, [40, 40, 2, 2], 2 + 4 * 40 + 2 + 4 * 2, id="short ones not: long and short apart"
        ),
    ],
)
def test_the_cheapest_layout_is_taken(num_prompt, lengths, expected) -> None:
    samples = [_sample(prompt, num_prompt, length) for prompt in (1, 2) for length in lengths]
    budget = 2 * num_prompt + 4 * max(lengths)
    (share,) = pack(samples, loss="per_token", num_ranks=1, micro_batch_tokens=budget)
    assert sum(map(num_tokens, share)) == expected


def test_few_groups_are_spread_over_many_ranks() -> None:
    """One group on four ranks: sharing its prompt would leave three of them idle."""
    samples = [_sample(1, 10, 50)] * 8
    shares = pack(samples, loss="per_token", num_ranks=4, micro_batch_tokens=1000)
    assert [sum(map(num_tokens, share)) for share in shares] == [10 + 2 * 50] * 4


@given(st.lists(st.integers(1, 20), max_size=20), st.integers(1, 5))
def test_balance(costs, num_ranks) -> None:
    shares = balance(costs, num_ranks=num_ranks)
    assert sorted(itertools.chain(*shares)) == list(range(len(costs)))
    loads = [sum(costs[index] for index in share) for share in shares]
    assert max(loads) - min(loads) <= max(costs, default=0)
    assert balance(costs, num_ranks=num_ranks) == shares, "the same batch is cut the same way"


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
