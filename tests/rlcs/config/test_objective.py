"""Presets, and when the correction is on."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rlcs.config import PRESETS, LearnerSection, ObjectiveSection, RunConfig
from rlcs.config.objective import PresetName


def test_every_preset_has_its_name_and_is_valid() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)
    for name, keys in PRESETS.items():
        section = LearnerSection.model_validate({"preset": name})
        assert section.preset == name
        dumped = section.model_dump()
        for key, value in keys.items():
            found = dumped[key]
            assert found == value or found | value == found, f"{name}: {key}"


def test_rlcs_is_the_default() -> None:
    named = ObjectiveSection.model_validate({"preset": "rlcs"})
    assert named.model_dump(exclude={"preset"}) == ObjectiveSection().model_dump(exclude={"preset"})


def test_what_is_given_goes_before_the_preset() -> None:
    section = ObjectiveSection.model_validate({"preset": "grpo", "clip_high": 0.5, "kl": None})
    assert (section.clip_high, section.kl, section.clip_low) == (0.5, None, 0.2)


def test_a_resolved_section_stays_what_it_is() -> None:
    for name in PRESETS:
        section = ObjectiveSection.model_validate({"preset": name})
        assert ObjectiveSection.model_validate(section.model_dump()) == section


@pytest.mark.parametrize(
    ("rollout", "learner", "on"),
    [
        pytest.param({"engine": "vllm"}, {}, True, id="vLLM computes with other kernels"),
        pytest.param({"engine": "vllm"}, {"correction": None}, False, id="switched off"),
        pytest.param({"engine": "vllm"}, {"correction": {"level": "sequence"}}, True, id="given"),
        pytest.param({"engine": "transformers"}, {}, False, id="the same kernels"),
        pytest.param({}, {}, False, id="nothing said"),
    ],
)
def test_with_vllm_the_correction_is_on(
    rollout: dict[str, Any], learner: dict[str, Any], on: bool
) -> None:
    config = RunConfig.model_validate(
        {
            "model": {"path": "m"},
            "data": {"train": [{"path": "p.jsonl", "domain": "math"}]},
            "rollout": rollout,
            "learner": learner,
        }
    )
    assert (config.learner.correction is not None) == on
    if learner.get("correction"):
        assert config.learner.correction.level == "sequence"
