"""What the engine logs is what the model says, whatever shares the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from rlcs.errors import EngineError, ModelError
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.engines.transformers.engine import TransformersEngine
from rlcs.types import Completion, FinishReason

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=30, max_answer_tokens=10, force_answer="</think><answer>"
)
LENGTHS = (3, 41, 17, 17, 1, 64)
"""Prompt lengths: left padding of up to 63 columns, and two prompts alike."""


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    """Groups of one to six rows."""
    return [
        make_request(problem, length, tuple(range(100 * problem, 100 * problem + 1 + problem)))
        for problem, length in enumerate(LENGTHS)
    ]


def all_pairs(
    requests: Sequence[GroupRequest], groups: Sequence[Sequence[Completion]]
) -> list[tuple[GroupRequest, Completion]]:
    return [
        (request, completion)
        for request, group in zip(requests, groups, strict=True)
        for completion in group
    ]


@pytest.mark.parametrize(
    ("batch_tokens", "temperature"),
    [
        pytest.param(100_000, 1.0, id="one batch: rows end one by one and are compacted"),
        pytest.param(100_000, 0.6, id="a temperature"),
        pytest.param(600, 1.0, id="several batches"),
        pytest.param(130, 1.0, id="less than most groups: they come in parts"),
        pytest.param(1, 1.0, id="less than one row: rows come one by one"),
    ],
)
def test_logprobs_equal_a_whole_pass(
    requests, make_engine, full_logprobs, reference_model, batch_tokens, temperature
) -> None:
    engine = make_engine(batch_tokens=batch_tokens)
    groups = engine.generate(requests, replace(SAMPLING, temperature=temperature))
    for request, group in zip(requests, groups, strict=True):
        assert [completion.problem_id for completion in group] == [request.prompt.problem_id] * len(
            request.seeds
        )
    lengths = set()
    for request, completion in all_pairs(requests, groups):
        expected = full_logprobs(reference_model, request.prompt, completion, temperature)
        drawn = completion.loss_mask
        np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=2e-5)
        assert completion.logprobs.dtype == np.float32
        assert completion.token_ids.dtype == np.int64
        lengths.add(len(completion.token_ids))
    assert len(lengths) > 8, "the rows were to end at different times"


@pytest.mark.parametrize("batch_tokens", [100_000, 1_000, 100, 1])
def test_batches_keep_to_their_budget(requests, make_engine, batch_tokens) -> None:
    engine = make_engine(batch_tokens=batch_tokens)
    drawn = SAMPLING.max_sampled_tokens + 2
    seeds: dict[int, tuple[int, ...]] = dict.fromkeys(range(len(requests)), ())
    for batch in engine._batches(requests, SAMPLING):
        rows = sum(len(part.seeds) for _, part in batch)
        longest = max(len(part.prompt.token_ids) for _, part in batch) + drawn
        assert rows == 1 or rows * longest <= batch_tokens
        for index, part in batch:
            assert part.prompt is requests[index].prompt
            seeds[index] += part.seeds
    assert list(seeds.values()) == [request.seeds for request in requests]


@pytest.mark.parametrize(
    ("batch_tokens", "change"),
    [
        pytest.param(300, lambda requests: requests, id="small batches"),
        pytest.param(100_000, lambda requests: requests[::-1], id="another order"),
        pytest.param(100_000, lambda requests: requests[2:3], id="alone"),
        pytest.param(200, lambda requests: requests[1::2], id="other neighbours"),
        pytest.param(
            100_000,
            lambda requests: [replace(part, seeds=part.seeds[-1:]) for part in requests],
            id="another group size",
        ),
    ],
)
def test_draws_do_not_depend_on_the_batch(
    requests, engine, make_engine, batch_tokens, change
) -> None:
    def drawn(engine, requests) -> dict[tuple[str, int], Completion]:
        groups = engine.generate(requests, SAMPLING)
        return {
            (request.prompt.problem_id, seed): completion
            for request, group in zip(requests, groups, strict=True)
            for seed, completion in zip(request.seeds, group, strict=True)
        }

    expected = drawn(engine, requests)
    found = drawn(make_engine(batch_tokens=batch_tokens), change(requests))
    assert found
    for key, completion in found.items():
        assert completion.token_ids.tolist() == expected[key].token_ids.tolist()
        assert completion.text == expected[key].text
        np.testing.assert_allclose(completion.logprobs, expected[key].logprobs, atol=2e-5)


def test_greedy_equals_transformers_generate(requests, make_engine, reference_model) -> None:
    eos_token_ids = (5, 17, 80, 120, 200, 260)
    engine = make_engine(eos_token_ids=eos_token_ids)
    sampling = Sampling(temperature=0, max_thinking_tokens=40, max_answer_tokens=20)
    for request, group in zip(requests, engine.generate(requests, sampling), strict=True):
        token_ids = torch.from_numpy(request.prompt.token_ids)[None]
        expected = reference_model.generate(
            token_ids,
            attention_mask=torch.ones_like(token_ids),
            do_sample=False,
            max_new_tokens=60,
            eos_token_id=list(eos_token_ids),
            pad_token_id=0,
        )[0, token_ids.shape[1] :]
        for completion in group:
            assert completion.token_ids.tolist() == expected.tolist()


def test_the_text_leaves_out_the_end_token_alone(requests, engine, tokenizer) -> None:
    for _, completion in all_pairs(requests, engine.generate(requests, SAMPLING)):
        shown = completion.token_ids
        if completion.finish_reason is FinishReason.STOP:
            shown = shown[:-1]
        assert completion.text == tokenizer.decode(shown, skip_special_tokens=False)


def test_nothing_asked_nothing_drawn(engine, make_request) -> None:
    assert engine.generate([], SAMPLING) == []
    assert engine.generate([make_request(0, 5, ())], SAMPLING) == [()]


WINDOW = {"sliding_window": 8}
FAMILIES = [
    pytest.param("Llama", {}, id="Llama: no biases"),
    pytest.param("Glm4", {}, id="Glm4: half of each head rotated"),
    pytest.param("Mistral", WINDOW, id="Mistral: sliding windows in all layers"),
    pytest.param("Gemma2", WINDOW, id="Gemma2: windows in every other layer, tied embeddings"),
    pytest.param(
        "GptOss",
        {**WINDOW, "num_local_experts": 2, "num_experts_per_tok": 1},
        id="GptOss: eager attention with sinks",
    ),
]


@pytest.mark.parametrize(("family", "options"), FAMILIES)
def test_model_families(
    family, options, tmp_path: Path, tiny_model, requests, make_engine, full_logprobs
) -> None:
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(
        **{
            "vocab_size": 406,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "max_position_embeddings": 256,
            "initializer_range": 0.15,  # the default of 0.02 hardly looks at the context
            "pad_token_id": 0,
            **options,
        }
    )
    getattr(transformers, f"{family}ForCausalLM")(config).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path)
    engine = make_engine(model_path=str(tmp_path))
    groups = engine.generate(requests, replace(SAMPLING, max_thinking_tokens=20))
    for request, completion in all_pairs(requests, groups):
        expected = full_logprobs(engine.model, request.prompt, completion)
        drawn = completion.loss_mask
        np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=2e-5)


def test_a_folder_without_a_model(tmp_path: Path, make_engine) -> None:
    with pytest.raises(ModelError, match=r"expected a model folder with config\.json"):
        make_engine(model_path=str(tmp_path))


def test_a_closed_engine_refuses(make_engine: Callable[..., TransformersEngine]) -> None:
    engine: Any = make_engine()
    engine.close()
    with pytest.raises(EngineError):
        engine.generate([], SAMPLING)
