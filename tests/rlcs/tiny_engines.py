"""Engines of tests: in float32, on one thread of a CPU."""

from __future__ import annotations

from typing import Any

from rlcs.config import VllmSection
from rlcs.rollout.engines.transformers.engine import TransformersEngine
from rlcs.rollout.settings import EngineSettings


def tiny_settings(model_path: str, *, engine: str, **replaced: Any) -> EngineSettings:
    """The settings of an engine, those that matter to a test ``replaced``."""
    fields: dict[str, Any] = {
        "dtype": "float32",
        "device": "cpu",
        "num_threads": 1,
        "batch_tokens": 20_000,
        "eos_token_ids": (),
        "max_row_tokens": 128,
        "vllm": VllmSection(),
    }
    return EngineSettings(engine=engine, model_path=model_path, **{**fields, **replaced})


def transformers_engine(model_path: str, **replaced: Any) -> TransformersEngine:
    """An engine in this process."""
    return TransformersEngine(tiny_settings(model_path, engine="transformers", **replaced))
