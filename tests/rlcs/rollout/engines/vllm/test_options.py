"""What vLLM is started with, and which of its options a configuration may give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from pydantic import ValidationError

from rlcs.config import ImageTokensSection, RolloutSection, VllmSection
from rlcs.config.vllm_options import PLAIN, PLAIN_PARTS, SET_BY_RLCS, SET_ON_CPU, needing_trust
from rlcs.errors import ConfigError
from rlcs.rollout.actors import check_engine
from rlcs.rollout.settings import EngineSettings


@pytest.mark.parametrize("name", sorted(SET_BY_RLCS))
def test_an_option_that_rlcs_sets_is_refused_with_what_sets_it(name) -> None:
    with pytest.raises(ValidationError, match=f"{name} is set by RLCS: ") as caught:
        VllmSection(extra={name: 1})
    assert SET_BY_RLCS[name] in str(caught.value)


UNTRUSTED = [
    pytest.param({"kv_cache_dtype": "fp8", "cudagraph_capture_sizes": [1, 2]}, [], id="plain"),
    pytest.param({"worker_cls": "evil.Worker"}, ["worker_cls"], id="a class to import"),
    pytest.param({"logits_processors": ["evil:P"]}, ["logits_processors"], id="classes to import"),
    pytest.param({"hf_overrides": {"a": 1}}, ["hf_overrides"], id="may name code of the model"),
    pytest.param({"load_format": "pt"}, ["load_format"], id="unpickles"),
    pytest.param(
        {"speculative_config": {"model": "x"}}, ["speculative_config"], id="another model"
    ),
    pytest.param({"not_an_option_yet": 1}, ["not_an_option_yet"], id="not known to be harmless"),
    pytest.param({"compilation_config": {"mode": 3}}, [], id="plain keys of a mapping"),
    pytest.param(
        {"compilation_config": {"mode": 3, "backend": "evil.compile", "inductor_passes": {}}},
        ["compilation_config.backend", "compilation_config.inductor_passes"],
        id="other keys of it",
    ),
    pytest.param(
        {"compilation_config": {"mode": {"x": 1}}}, ["compilation_config.mode"], id="nested deeper"
    ),
    pytest.param({"compilation_config": "{}"}, ["compilation_config"], id="a mapping as a text"),
    pytest.param({"block_size": {"x": 1}}, ["block_size"], id="a mapping for a plain value"),
    pytest.param(
        {"cudagraph_capture_sizes": [[1]]}, ["cudagraph_capture_sizes"], id="lists of lists"
    ),
]


@pytest.mark.parametrize(("extra", "named"), UNTRUSTED)
def test_what_needs_trust(extra, named) -> None:
    assert needing_trust(extra) == named


@pytest.mark.long
def test_names_that_vllm_does_not_know_are_refused_with_near_ones() -> None:
    from vllm.config import CompilationConfig
    from vllm.engine.arg_utils import EngineArgs

    known = {field.name for field in fields(EngineArgs)}
    assert {*PLAIN, *PLAIN_PARTS, *SET_BY_RLCS, *SET_ON_CPU} <= known
    assert PLAIN_PARTS["compilation_config"] <= {each.name for each in fields(CompilationConfig)}
    rollout = RolloutSection(
        engine="vllm", vllm=VllmSection(extra={"kv_cache_dtpye": "fp8", "max_num_seq": 1, "zzz": 1})
    )
    with pytest.raises(ConfigError) as caught:
        check_engine(rollout)
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("rollout.vllm.extra.kv_cache_dtpye: vLLM ")
    assert "no such engine option. Did you mean kv_cache_dtype" in first
    assert "max_num_seqs" in second
    assert third.endswith("See vLLM's list of engine arguments.")
    check_engine(rollout.model_copy(update={"vllm": VllmSection(extra={"kv_cache_dtype": "auto"})}))
    check_engine(rollout.model_copy(update={"engine": "transformers"}))


@pytest.mark.long
def test_options_for_bounded_pictures(
    tiny_glm: str, tiny_qwen_vl: str, make_settings: Callable[..., EngineSettings]
) -> None:
    from rlcs.rollout.engines.vllm.options import vllm_options

    def processing(path: str, videos: int) -> dict[str, Any]:
        shown = {"image": 1, "video": videos}
        bounds = ImageTokensSection(min=2, max=12)
        settings = make_settings(path, engine="vllm", image_tokens=bounds, most_shown=shown)
        return dict(vllm_options(settings)["mm_processor_kwargs"])

    side = 28 * 28
    bounded = {"size": {"shortest_edge": 2 * side, "longest_edge": 12 * side}}
    assert processing(tiny_qwen_vl, 1) == {"images_kwargs": bounded}
    # GLM's counts a picture as two frames; of videos the folder's own bound is left.
    doubled = {"size": {"shortest_edge": 4 * side, "longest_edge": 24 * side}}
    assert processing(tiny_glm, 0) == {"images_kwargs": doubled, "max_pixels": 24 * side}
    assert processing(tiny_glm, 1) == {"images_kwargs": doubled, "max_pixels": 2 * 224 * 224}


@pytest.mark.long
def test_options(tiny_model: str, make_settings: Callable[..., EngineSettings]) -> None:
    from rlcs.rollout.engines.vllm.options import vllm_options

    vllm = VllmSection(extra={"kv_cache_dtype": "auto", "long_prefill_token_threshold": 9})
    settings = make_settings(
        tiny_model, engine="vllm", vllm=vllm, most_shown={"image": 2, "video": 1}
    )
    options = vllm_options(settings)
    assert options["limit_mm_per_prompt"] == {"image": 2, "video": 1, "audio": 0}
    assert (options["kv_cache_dtype"], options["long_prefill_token_threshold"]) == ("auto", 9)
    assert set(SET_ON_CPU) <= set(options)
    on_gpu = vllm_options(make_settings(tiny_model, engine="vllm", device="cuda"))
    assert not set(SET_ON_CPU) & set(on_gpu)
    # What the engine sets, extra cannot: with what it sets itself it covers every option.
    assert {*options, *on_gpu} - set(vllm.extra) <= {*SET_BY_RLCS, *SET_ON_CPU}
