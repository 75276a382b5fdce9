"""Adapters: they alone are trained and published, and an export has them in its weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rlcs.config import LoraSection
from rlcs.errors import ConfigError, EngineError, PackageMissingError
from rlcs.learner.rank import LearnerRank
from rlcs.model.lora import check_adapter_package
from rlcs.model.weights import Weights
from rlcs.types import Prompt

LORA = LoraSection(rank=4, alpha=6, targets=["q_proj", "v_proj", "down_proj"])
PROBE_TOKEN_IDS = np.arange(11, 50)


def published(rank: LearnerRank) -> Weights:
    """A copy: the buckets share the parameters' memory."""
    buckets = [rank.bucket(index) for index in range(rank.num_buckets)]
    return {name: array.copy() for bucket in buckets for name, array in bucket.items()}


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_adapters_alone_are_trained_and_published(
    zero_stage,
    make_rank,
    objective,
    update,
    make_samples,
    tiny_model,
    transformers_engine,
    tmp_path: Path,
) -> None:
    rank = make_rank(zero_stage=zero_stage, lora=LORA, learning_rate=1e-2)
    before, all_before = published(rank), rank.weights()
    assert len(before) == 2 * 2 * 3, "two matrices in each of two layers' three targets"
    assert all(".lora_A.weight" in name or ".lora_B.weight" in name for name in before)
    for seed in range(3):
        update(rank, make_samples(8, seed=seed), objective, learning_rate=1e-2)
    after = published(rank)
    assert all((after[name] != before[name]).any() for name in before)
    changed = {name for name, array in rank.weights().items() if (array != all_before[name]).any()}
    assert {name.replace(".default.", ".") for name in changed} == set(before)

    probe = rank.probe(Prompt(problem_id="probe", token_ids=PROBE_TOKEN_IDS))
    engine = transformers_engine(tiny_model, lora=LORA)
    with pytest.raises(EngineError, match="does not serve the weights"):
        engine.load_weights(1, [before], probe)
    engine.load_weights(2, [after], probe)

    rank.export(str(tmp_path))
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert {name for name, _ in model.named_parameters()} == {
        name for name, _ in AutoModelForCausalLM.from_pretrained(tiny_model).named_parameters()
    }
    row = torch.from_numpy(PROBE_TOKEN_IDS)[None]
    with torch.no_grad():
        logprobs = model(row).logits[0, :-1].log_softmax(-1).gather(-1, row[0, 1:, None])[:, 0]
    np.testing.assert_allclose(logprobs.numpy(), probe.logprobs, atol=1e-5)


def test_all_linear_layers_but_the_output_are_the_default(make_rank) -> None:
    rank: Any = make_rank(lora=LoraSection())
    targets = {name.split(".lora_")[0].rpartition(".")[2] for name in published(rank)}
    attention = {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert targets == attention | {"gate_proj", "up_proj", "down_proj"}


def test_targets_that_are_not_there(make_rank) -> None:
    with pytest.raises(ConfigError, match=r"learner\.lora\.targets = \['wq'\]"):
        make_rank(lora=LoraSection(targets=["wq"]))


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    check_adapter_package(None)
    with pytest.raises(PackageMissingError, match=r"pip install 'rlcs\[lora\]'"):
        check_adapter_package(LORA)
