"""How tokens are drawn: frequencies, temperature, budgets, force answering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from rlcs.rollout.engine import Sampling
from rlcs.types import Completion, FinishReason

NUM_DRAWS = 20_000
MIN_EXPECTED = 10
"""Tokens expected less often are counted together, for the chi-square statistic to hold."""
CLOSE_THINKING = "</think>"
FORCE_TEXTS = [
    pytest.param("</think><answer>", id="two special tokens"),
    pytest.param("</think>", id="one token"),
    pytest.param("\nTime is up.</think>\n<answer>The result is ", id="many tokens"),
]


@pytest.fixture(scope="module")
def never_ending(make_engine) -> Any:
    """An engine without end tokens."""
    return make_engine(eos_token_ids=())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 1.7])
def test_frequencies_match_the_probabilities(
    temperature, never_ending, make_request, reference_model
) -> None:
    request = make_request(1, 9, tuple(range(NUM_DRAWS)))
    sampling = Sampling(temperature=temperature, max_thinking_tokens=2, max_answer_tokens=0)
    (group,) = never_ending.generate([request], sampling)
    tokens = np.stack([completion.token_ids for completion in group])
    logprobs = np.stack([completion.logprobs for completion in group])

    prompt = torch.from_numpy(request.prompt.token_ids)
    vocabulary = torch.arange(406)
    branches = torch.cat([prompt.expand(406, -1), vocabulary[:, None]], dim=1)
    with torch.no_grad():
        logits = reference_model(branches).logits.double() / temperature
    first = logits[0, -2].softmax(-1).numpy()
    counts = np.bincount(tokens[:, 0], minlength=406)
    often = first * NUM_DRAWS >= MIN_EXPECTED
    assert often.sum() > 5
    rest = [] if often.all() else [~often]
    bins = [*np.eye(406, dtype=bool)[often], *rest]
    found = [counts[tokens_in_bin].sum() for tokens_in_bin in bins]
    expected = [first[tokens_in_bin].sum() * NUM_DRAWS for tokens_in_bin in bins]
    assert chisquare(found, expected).pvalue > 1e-3

    # The second token: its mean log-probability is minus the entropy, within the noise.
    second = logits[:, -1].log_softmax(-1)
    entropies = -(second.exp() * second).sum(-1).numpy()
    surprise = logprobs[:, 1] + entropies[tokens[:, 0]]
    assert abs(surprise.mean()) < 4 * surprise.std() / NUM_DRAWS**0.5


def test_different_seeds_draw_differently(never_ending, make_request) -> None:
    sampling = Sampling(temperature=1.0, max_thinking_tokens=12, max_answer_tokens=0)
    (group,) = never_ending.generate([make_request(1, 5, tuple(range(200)))], sampling)
    assert len({tuple(completion.token_ids) for completion in group}) == 200
    huge = tuple(2**63 - 1 - seed for seed in range(2))
    (group,) = never_ending.generate([make_request(1, 5, huge)], sampling)
    assert group[0].token_ids.tolist() != group[1].token_ids.tolist()


@settings(max_examples=25, deadline=None)
@given(
    max_thinking_tokens=st.integers(1, 12),
    max_answer_tokens=st.integers(0, 6),
    force_answer=st.sampled_from([None, "", "</think>", "</think><answer>", " so\n</think>"]),
    temperature=st.sampled_from([0.0, 0.7, 1.0, 3.0]),
    ends_often=st.booleans(),
)
def test_budgets_are_kept(
    engine, never_ending, make_request, tokenizer, ends_often, **fields
) -> None:
    sampling = Sampling(**fields)
    inserted = len(tokenizer.encode(sampling.force_answer or "", add_special_tokens=False))
    used = engine if ends_often else never_ending
    requests = [make_request(1, 5, tuple(range(12))), make_request(2, 9, tuple(range(7)))]
    groups = used.generate(requests, sampling)
    assert [len(group) for group in groups] == [12, 7]
    for completion in (completion for group in groups for completion in group):
        num_drawn = int(completion.loss_mask.sum())
        assert completion.forced == (num_drawn < len(completion.token_ids))
        assert len(completion.token_ids) - num_drawn == completion.forced * inserted
        ended = completion.token_ids[-1] in used.settings.eos_token_ids and completion.loss_mask[-1]
        assert completion.finish_reason is (FinishReason.STOP if ended else FinishReason.LENGTH)
        if ended:
            assert num_drawn <= sampling.max_sampled_tokens
        else:
            assert num_drawn == sampling.max_sampled_tokens
        body = completion.token_ids[: len(completion.token_ids) - ended]
        drawn_body = body[completion.loss_mask[: len(body)]]
        assert not np.isin(drawn_body, used.settings.eos_token_ids).any()
        assert (completion.logprobs[completion.loss_mask] <= 1e-6).all()


def some_close_their_thinking(
    engine: Any, make_request: Any, sampling: Sampling
) -> tuple[Any, Sequence[Completion]]:
    """A prompt and so many completions that some close their thinking in time by chance."""
    request = make_request(3, 7, tuple(range(400)))
    (group,) = engine.generate([request], sampling)
    return request.prompt, group


@pytest.mark.parametrize("text", FORCE_TEXTS)
def test_thinking_is_closed_at_its_budget(
    text, make_engine, make_request, tokenizer, reference_model, full_logprobs
) -> None:
    budget, answer = 12, 5
    force_ids = tokenizer.encode(text, add_special_tokens=False)
    sampling = Sampling(
        temperature=1.0, max_thinking_tokens=budget, max_answer_tokens=answer, force_answer=text
    )
    # The inserted tokens are end tokens too: only one that is drawn may end a completion.
    engine = make_engine(eos_token_ids=(50, 90, 130, *force_ids[-1:]))
    closes = force_ids == [tokenizer.convert_tokens_to_ids(CLOSE_THINKING)]
    prompt, group = some_close_their_thinking(engine, make_request, sampling)
    _, unforced = some_close_their_thinking(
        engine, make_request, replace(sampling, force_answer=None)
    )
    counts = {"closed": 0, "forced": 0, "ended": 0}
    for completion, free in zip(group, unforced, strict=True):
        thinking = tokenizer.decode(completion.token_ids[:budget])
        assert completion.token_ids[:budget].tolist() == free.token_ids[:budget].tolist()
        ended = len(free.token_ids) <= budget and free.finish_reason is FinishReason.STOP
        if CLOSE_THINKING in thinking or ended:
            counts["ended" if ended else "closed"] += 1
            assert not completion.forced
            assert completion.token_ids.tolist() == free.token_ids.tolist()
            continue
        counts["forced"] += 1
        end = budget + len(force_ids)
        assert completion.token_ids[budget:end].tolist() == force_ids
        expected_mask = np.ones(len(completion.token_ids), dtype=bool)
        expected_mask[budget:end] = False
        assert completion.loss_mask.tolist() == expected_mask.tolist()
        assert (completion.logprobs[budget:end] == 0).all()
        assert len(completion.token_ids) > end, "the model goes on after what was inserted"
        if completion.finish_reason is FinishReason.LENGTH:
            assert len(completion.token_ids) == end + answer
        assert text in completion.text
    assert counts["forced"] > 100
    assert counts["ended"] > 10
    assert closes or counts["closed"] > 3
    forced = [completion for completion in group if completion.forced]
    assert any(completion.finish_reason is FinishReason.LENGTH for completion in forced)
    for completion in forced[:40]:
        expected = full_logprobs(reference_model, prompt, completion)
        drawn = completion.loss_mask
        np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=2e-5)


def test_no_force_text_lets_thinking_run_on(engine, make_request) -> None:
    sampling = Sampling(temperature=1.0, max_thinking_tokens=6, max_answer_tokens=4)
    _, group = some_close_their_thinking(engine, make_request, sampling)
    assert not any(completion.forced for completion in group)
    assert max(len(completion.token_ids) for completion in group) == 10
