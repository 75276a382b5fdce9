"""What a step does when there is nothing to learn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rlcs.config import RunConfig
from rlcs.training.loop import learn


def test_engines_stay_awake_when_no_new_weights_will_come() -> None:
    """Those that sleep may let their weights go, and serve nothing before the next version."""
    config = RunConfig.model_validate(
        {"model": {"path": "m"}, "data": {"train": [{"path": "a.jsonl"}]}}
    )
    no_workers: Any = SimpleNamespace(config=config, workers=None)
    assert learn(no_workers, [], 1) == []
