"""What engines are built from, made of the sections of a run or of a grading."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rlcs.cluster.placement import Placement
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.config import LoraSection, ModelSection, RolloutSection, VllmSection
from rlcs.data import Renderer
from rlcs.errors import ConfigError
from rlcs.rollout.settings import (
    EngineSettings,
    engine_settings,
    most_shown,
    training_sampling,
)
from rlcs.types import Image, Prompt

ROLLOUT = RolloutSection(
    engine="vllm",
    temperature=0.7,
    max_prompt_tokens=50,
    max_thinking_tokens=30,
    max_answer_tokens=8,
    force_answer="</think><answer>",
    batch_tokens=1000,
    vllm=VllmSection(max_rows=24),
)
SHOWN = {"image": 3, "video": 1}
PLAN = ProcessPlan(
    device="cpu", num_threads=3, placement=Placement(kind="cpu", bundles=(), node_names=())
)


@pytest.fixture(scope="module")
def renderer(tiny_model: str) -> Renderer:
    return Renderer.load(tiny_model, max_prompt_tokens=50)


def settings_of(rollout: RolloutSection, path: str, renderer: Renderer) -> EngineSettings:
    return engine_settings(
        model=ModelSection(path=path, dtype="bfloat16"),
        rollout=rollout,
        lora=LoraSection(rank=4),
        renderer=renderer,
        plan=PLAN,
        shown=SHOWN,
    )


def test_settings_are_those_of_the_sections(tiny_model: str, renderer: Renderer) -> None:
    inserted = len(renderer.tokenizer.encode("</think><answer>", add_special_tokens=False))
    assert settings_of(ROLLOUT, tiny_model, renderer) == EngineSettings(
        engine="vllm",
        model_path=tiny_model,
        dtype="bfloat16",
        device="cpu",
        num_threads=3,
        batch_tokens=1000,
        eos_token_ids=renderer.eos_token_ids,
        max_row_tokens=50 + 30 + 8 + inserted,
        vllm=VllmSection(max_rows=24),
        lora=LoraSection(rank=4),
        most_shown=SHOWN,
    )
    assert inserted > 0


def test_nothing_is_inserted_where_thinking_runs_on(tiny_model: str, renderer: Renderer) -> None:
    rollout = ROLLOUT.model_copy(update={"force_answer": None})
    assert settings_of(rollout, tiny_model, renderer).max_row_tokens == 50 + 30 + 8


def test_a_cache_without_room_for_a_row_is_refused(tiny_model: str, renderer: Renderer) -> None:
    """Where hardware.device is auto, only the plan tells that vLLM will read batch_tokens."""
    rollout = ROLLOUT.model_copy(update={"batch_tokens": 10})
    with pytest.raises(ConfigError, match=r"Raise rollout\.batch_tokens to 88"):
        settings_of(rollout, tiny_model, renderer)


def test_a_folder_is_named_for_processes_that_work_elsewhere(
    tiny_model: str, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(tiny_model).parent)
    assert settings_of(ROLLOUT, Path(tiny_model).name, renderer).model_path == os.path.realpath(
        tiny_model
    )
    assert settings_of(ROLLOUT, "some/hub-id", renderer).model_path == "some/hub-id"


def test_options_that_are_fixed_on_a_cpu_are_refused_there(
    tiny_model: str, renderer: Renderer
) -> None:
    vllm = VllmSection(extra={"block_size": 64, "kv_cache_dtype": "auto"})
    rollout = ROLLOUT.model_copy(update={"vllm": vllm})
    with pytest.raises(
        ConfigError, match=r"rollout\.vllm\.extra\.block_size is for GPUs"
    ) as caught:
        settings_of(rollout, tiny_model, renderer)
    assert "kv_cache_dtype" not in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "expected", "held"),
    [
        pytest.param("vllm", 24, 27, id="vLLM: as it is told, and an eighth waits"),
        pytest.param(
            "transformers", 1000 // 90, 1, id="transformers: what fits, an item at a time"
        ),
    ],
)
def test_rows_at_once(engine, expected, held, tiny_model: str, renderer: Renderer) -> None:
    settings = settings_of(ROLLOUT.model_copy(update={"engine": engine}), tiny_model, renderer)
    assert settings.max_row_tokens == 90
    assert (settings.rows_at_once, settings.rows_held) == (expected, held)


@pytest.mark.parametrize(
    ("engine", "lora", "lost"),
    [
        pytest.param("vllm", None, True, id="every version brings all weights"),
        pytest.param("vllm", LoraSection(), False, id="adapters come to a model that stays"),
        pytest.param("transformers", None, False, id="keeps them on the host"),
    ],
)
def test_who_loses_weights_in_sleep(engine, lora, lost, make_settings) -> None:
    assert make_settings("m", engine=engine, lora=lora).sleep_loses_weights is lost


def test_the_most_pictures_of_a_prompt(make_image: Callable[..., Image]) -> None:
    image = make_image(0)
    prompts = [Prompt(problem_id="p", token_ids=[1], images=(image,) * n) for n in (1, 3, 0)]
    assert most_shown(prompts) == {"image": 3, "video": 0}
    assert most_shown([]) == {"image": 0, "video": 0}


def test_sampling_is_that_of_the_section() -> None:
    sampling = training_sampling(ROLLOUT)
    assert (sampling.temperature, sampling.max_sampled_tokens) == (0.7, 38)
    assert (sampling.max_thinking_tokens, sampling.force_answer) == (30, "</think><answer>")
