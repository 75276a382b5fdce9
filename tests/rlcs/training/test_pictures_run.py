"""A tiny GLM-4.1V from its cold start to an exported model, with pictures and vLLM."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
import yaml
from shared_cluster import SharedCluster
from workshop import ROOT, Workshop, base_config, read_jsonl, write_jsonl

pytestmark = pytest.mark.long

COLUMNS = {"question": "question", "reference": "answer", "images": "picture"}


def source(folder: Path, part: str, domain: str, **columns: str) -> dict[str, object]:
    path = str(folder / "pictures" / f"{part}.jsonl")
    return {"path": path, "domain": domain, "columns": {**COLUMNS, **columns}}


@pytest.fixture(scope="module")
def seeing(
    tiny_glm: str, shared_cluster: SharedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    """Pictures to count in, and what the cold start on a few of them left."""
    folder = tmp_path_factory.mktemp("seeing")
    numbers = ("--train", "30", "--heldout", "4", "--demonstrations", "16")
    make = [sys.executable, str(ROOT / "scripts" / "make_pictures"), str(folder / "pictures")]
    subprocess.run([*make, *numbers], check=True, capture_output=True)
    for part in ("train", "heldout"):
        rows = read_jsonl(folder / "pictures" / f"{part}.jsonl")
        asked = [{**row, "answer": "50"} for row in rows]  # half of all texts are right
        write_jsonl(folder / "pictures" / f"{part}.jsonl", asked)
    cold_start = {
        "output": str(folder / "model"),
        "model": {"path": tiny_glm},
        "data": {"train": [source(folder, "demonstrations", "counting", thinking="thinking")]},
        "sft": {"batch_size": 8, "num_ranks": 2, "micro_batch_tokens": 128, "max_tokens": 96},
        "hardware": {"device": "cpu", "threads_per_process": 1},
    }
    (folder / "sft.yaml").write_text(yaml.safe_dump(cold_start))
    config = base_config(folder)
    config["data"] = {
        "train": [source(folder, "train", "checksum")],
        "heldout": [source(folder, "heldout", "checksum")],
    }
    config["rollout"] |= {"engine": "vllm", "max_prompt_tokens": 64}
    config["evaluation"]["every_steps"] = None
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    workshop = Workshop(folder, shared_cluster)
    assert "done" in workshop.call("sft", folder / "sft.yaml")
    return workshop


def test_two_steps_and_an_export(seeing: Workshop) -> None:
    printed = seeing.call(
        "train", seeing.config, "run.name=two", "run.num_steps=2", "curriculum.carry_over=false"
    )
    assert "held-out accuracy after training" in printed
    for row in read_jsonl(seeing.run_folder("two") / "log" / "steps.jsonl"):
        assert row["learner"]["grad_norm"] > 0
        # The learner finds the tokens as likely as the engine said, of the same pictures.
        assert row["learner"]["mean_abs_log_ratio"] < 1e-5

    seeing.call("export", seeing.run_folder("two"), seeing.folder / "exported")
    loaded = [
        transformers.AutoModelForImageTextToText.from_pretrained(path, dtype=torch.float32)
        for path in (seeing.folder / "exported", seeing.model)
    ]
    vision_tower, before = (dict(model.model.visual.named_parameters()) for model in loaded)
    changed = [name for name in vision_tower if not torch.equal(vision_tower[name], before[name])]
    assert changed, "the vision tower learns, too"
    transformers.AutoProcessor.from_pretrained(seeing.folder / "exported")
