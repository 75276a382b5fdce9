"""The gradient is that of one batch, whatever packs, recomputes, accumulates and shards it.

Two processes and one measure all cases, one after the other; see ``sharded_gradients.py``.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from own_forward import completed
from transformers import AutoModelForCausalLM, Qwen3Config
from workshop import environment

from rlcs.config import LoraSection
from rlcs.data import Renderer
from rlcs.learner.rank_settings import RankSettings
from rlcs.types import TrainingSample

pytestmark = pytest.mark.long

LIMIT = 1e-5
"""Relative, in float32."""

TEXT, SEEING = ("Qwen2", "Qwen3, tied"), ("GLM-4.1V", "Qwen2.5-VL")
TRAINED: dict[str, dict[str, Any]] = {
    "all": {},
    "language": {"train": "language"},
    "adapters": {"lora": LoraSection(rank=4)},
}
CASES = [
    (model, trained, stage)
    for model in (*TEXT, *SEEING)
    for trained in (("all", "adapters") if model in TEXT else ("all", "language", "adapters"))
    for stage in range(4)
    # Each stage with each model, and everything that can be trained with one of each kind.
    if trained == "all" or model in ("Qwen2", "GLM-4.1V")
]


@pytest.fixture(scope="module")
def folders(
    tiny_model: str,
    tiny_glm: str,
    tiny_qwen_vl: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models") / "qwen3"
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=True,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return {
        "Qwen2": tiny_model,
        "Qwen3, tied": str(folder),
        "GLM-4.1V": tiny_glm,
        "Qwen2.5-VL": tiny_qwen_vl,
    }


@pytest.fixture(scope="module")
def samples_of(
    folders: dict[str, str],
    make_samples: Callable[..., list[TrainingSample]],
    make_image: Callable[..., Any],
    make_problem: Callable[..., Any],
) -> Callable[[str], list[TrainingSample]]:
    """Groups of a model: for one that sees, with pictures in some and not in others."""

    def make(model: str) -> list[TrainingSample]:
        if model in TEXT:
            return make_samples(15, seed=1, group_size=3)
        renderer = Renderer.load(folders[model], max_prompt_tokens=500)
        prompts = [
            renderer.render(
                make_problem(f"{number} + {number}?", *([make_image(number)] * (number % 2 == 0)))
            )
            for number in range(6)
        ]
        return completed(prompts, (4, 9))

    return make


@pytest.fixture(
    scope="module",
    # What is cut on one rank is cut on two as well, and more.
    params=[pytest.param(1, marks=pytest.mark.stress), 2],
    ids=["one rank", "two ranks"],
)
def errors(
    request: pytest.FixtureRequest,
    folders: dict[str, str],
    samples_of: Callable[[str], list[TrainingSample]],
    make_settings: Callable[..., RankSettings],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, float]]:
    """The error of every parameter's gradient, by case."""
    num_ranks, folder = request.param, tmp_path_factory.mktemp("gradients")
    cases = {}
    for model, trained, stage in CASES:
        settings = make_settings(
            zero_stage=stage,
            num_ranks=num_ranks,
            model_path=folders[model],
            max_grad_norm=1e9,
            weight_decay=0.0,
            **TRAINED[trained],
        )
        ranks = settings.ranks.model_copy(
            update={"micro_batch_tokens": 30, "recompute_activations": True}
        )
        samples = samples_of(model)
        cases[name_of(model, trained, stage)] = (
            dataclasses.replace(settings, ranks=ranks),
            samples,
        )
    (folder / "cases.pkl").write_bytes(pickle.dumps(cases))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = str(Path(__file__).with_name("sharded_gradients.py"))
    common = [str(num_ranks), str(port), str(folder / "cases.pkl"), str(folder / "errors.json")]
    processes = [
        subprocess.Popen(
            [sys.executable, script, str(rank), *common],
            env={**environment(), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(num_ranks)
    ]
    said = [process.communicate(timeout=400)[0] for process in processes]
    assert all(process.returncode == 0 for process in processes), "\n".join(said)
    found: dict[str, dict[str, float]] = json.loads((folder / "errors.json").read_text())
    return found


def name_of(model: str, trained: str, stage: int) -> str:
    return f"{model}, {trained}, ZeRO-{stage}"


@pytest.mark.parametrize("case", [name_of(*case) for case in CASES])
def test_it_is_the_gradient_of_one_batch(case: str, errors: dict[str, dict[str, float]]) -> None:
    worst = max(errors[case], key=lambda name: errors[case][name])
    assert errors[case][worst] <= LIMIT, worst
    if "language" in case:
        assert not any("visual" in name for name in errors[case])
    if "adapters" in case:
        assert all("lora" in name for name in errors[case])
