"""A run whose engine is vLLM: two steps, with new weights between them."""

from __future__ import annotations

import pytest
from workshop import Workshop, read_jsonl

pytestmark = pytest.mark.long


def test_two_steps(workshop: Workshop) -> None:
    printed = workshop.call(
        "train",
        workshop.config,
        "run.name=vllm",
        "run.num_steps=2",
        "rollout.engine=vllm",
        "curriculum.carry_over=false",  # every sample is of the newest version
        "evaluation.every_steps=null",
        "learner.publish_bucket_mib=0.02",
    )
    assert "held-out accuracy after training" in printed
    steps = read_jsonl(workshop.run_folder("vllm") / "log" / "steps.jsonl")
    assert [row["policy_version"] for row in steps] == [1, 2]
    for row in steps:
        assert row["learner"]["grad_norm"] > 0
        # The learner finds the tokens as likely as the engine said: it serves the new weights.
        assert row["learner"]["mean_abs_log_ratio"] < 1e-5
