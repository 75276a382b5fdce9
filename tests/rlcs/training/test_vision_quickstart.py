"""The vision quickstart in miniature: its own configurations, few rows and two steps."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml
from shared_cluster import SharedCluster
from workshop import ROOT, Workshop, read_jsonl

pytestmark = [pytest.mark.long, pytest.mark.stress]  # test_pictures_run.py is the short one

DOMAINS = ("charts", "counting", "grounding", "gui")


@pytest.fixture(scope="module")
def small(
    tiny_glm: str, shared_cluster: SharedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    """The configurations over small data, and what the cold start on these left."""
    folder = tmp_path_factory.mktemp("vision")
    made = folder / ".cache" / "quickstart_vision"
    numbers = ("--train", "4", "--heldout", "1", "--demonstrations", "4")
    script = [sys.executable, str(ROOT / "scripts" / "make_vision_tasks"), str(made)]
    subprocess.run([*script, *numbers], check=True, capture_output=True)
    workshop = Workshop(folder, shared_cluster)
    cold_start = ROOT / "configs" / "quickstart_vision_sft.yaml"
    workshop.call("sft", cold_start, f"model.path={tiny_glm}", "sft.batch_size=8")
    return workshop


def test_two_steps_of_the_configuration(small: Workshop) -> None:
    config = ROOT / "configs" / "quickstart_vision.yaml"
    printed = small.call(
        "train", config, "run.name=two", "run.num_steps=2", "run.groups_per_step=2",
        "rollout.num_actors=1",
    )  # fmt: skip
    assert "by domain: charts " in printed
    run = small.run_folder("two")
    summary = json.loads((run / "summary.json").read_text())
    for when in ("before", "after"):
        assert set(summary["eval"][when]["by_domain"]) == set(DOMAINS)
    groups = read_jsonl(run / "log" / "groups.jsonl")
    assert {group["domain"] for group in groups} <= set(DOMAINS)
    assert sum(group["errors"] for group in groups) == 0
    resolved = yaml.safe_load((run / "config.resolved.yaml").read_text())
    assert resolved["rollout"]["engine"] == "transformers"
