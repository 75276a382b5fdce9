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
    message = (
        r"learner\.lora\.targets = \['wq', 'q_proj'\]: .* no linear layers called wq\. It has "
    )
    with pytest.raises(ConfigError, match=message + "down_proj, gate_proj"):
        make_rank(lora=LoraSection(targets=["wq", "q_proj"]))


@pytest.mark.parametrize("targets", [None, ["q_proj", "down_proj"]])
def test_a_vision_tower_gets_no_adapters(targets, make_rank, tiny_glm, tiny_qwen_vl) -> None:
    """Engines serve none there: they would be trained and never used, or refused."""
    for path in (tiny_glm, tiny_qwen_vl):
        rank = make_rank(lora=LoraSection(targets=targets), model_path=path)
        assert published(rank)
        assert not [name for name in published(rank) if "visual" in name]


def test_the_language_model_alone(
    make_rank, update, objective, make_samples, tiny_glm, tmp_path: Path
) -> None:
    rank: Any = make_rank(train="language", model_path=tiny_glm)
    tower = {name for name, _ in rank.model.named_parameters() if "visual" in name}
    assert tower
    held = {
        id(parameter)
        for group in rank.engine.optimizer.param_groups
        for parameter in group["params"]
    }
    before = rank.weights()
    update(rank, make_samples(4), objective)
    after = rank.weights()
    changed = {name for name in before if (before[name] != after[name]).any()}
    assert changed == set(before) - tower
    for name, parameter in rank.model.named_parameters():
        assert (id(parameter) in held) == (name not in tower)
        assert name not in tower or parameter.grad is None


def test_a_model_that_does_not_see_has_no_tower_to_freeze(make_rank) -> None:
    with pytest.raises(ConfigError, match=r"has none\. Use learner\.train=all"):
        make_rank(train="language")


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
@pytest.mark.parametrize("kind", ["adapters", "language"])
def test_what_is_frozen_is_not_saved_and_a_resume_is_exact(
    kind, zero_stage, make_rank, update, objective, make_samples, tiny_glm, tmp_path: Path
) -> None:
    settings = {"lora": LORA} if kind == "adapters" else {"train": "language"}
    settings |= {"zero_stage": zero_stage, "model_path": tiny_glm}
    first = make_rank(**settings)
    update(first, make_samples(5, seed=1), objective)
    first.save(str(tmp_path))
    report = update(first, make_samples(5, seed=2), objective)
    second = make_rank(**settings)
    update(second, make_samples(5, seed=9), objective)
    second.load(str(tmp_path))
    assert update(second, make_samples(5, seed=2), objective) == report
    one, other = first.weights(), second.weights()
    assert all((one[name] == other[name]).all() for name in one)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    trained = sum(
        int(getattr(each, "ds_numel", each.numel()))
        for each in first.model.parameters()
        if each.requires_grad
    )
    assert size < 1.3 * 16 * trained + 200_000


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    check_adapter_package(None)
    with pytest.raises(PackageMissingError, match=r"pip install 'rlcs\[lora\]'"):
        check_adapter_package(LORA)
