"""A model that someone else pretrained, from its package to two steps of RL by both engines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rlcs.rollout.actors import check_engine_package

ROOT = Path(__file__).parents[3]
CACHED = ROOT / ".cache" / "smollm2" / "model"

pytestmark = pytest.mark.stress


def call(folder: Path, *command: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model, the sums, and a cold start of four steps."""
    folder = tmp_path_factory.mktemp("smollm2")
    (folder / "configs").symlink_to(ROOT / "configs")
    made = folder / ".cache" / "smollm2"
    made.mkdir(parents=True)
    if CACHED.exists():
        shutil.copytree(CACHED, made / "model")
    else:
        call(folder, sys.executable, ROOT / "scripts" / "get_smollm2", made / "model")
    sizes = ("--train", 48, "--heldout", 8, "--demonstrations", 64)
    call(folder, sys.executable, ROOT / "scripts" / "make_sums", made, *sizes)
    call(folder, sys.executable, "-m", "rlcs.cli", "sft", "configs/smollm2_sft.yaml")
    return folder


@pytest.mark.parametrize("config", ["smollm2_rl", "smollm2_lora"])
@pytest.mark.parametrize("engine", ["transformers", "vllm"])
def test_two_steps(place: Path, engine: str, config: str) -> None:
    if engine == "vllm":
        check_engine_package("vllm")
    name = f"{config}_{engine}"
    call(
        place, sys.executable, "-m", "rlcs.cli", "train", f"configs/{config}.yaml",
        f"run.name={name}", "run.num_steps=2", "run.groups_per_step=2", "rollout.group_size=4",
        f"rollout.engine={engine}",
    )  # fmt: skip
    lines = (place / "runs" / name / "log" / "steps.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [1, 2]
    # The engine and the learner agree on what the model thinks of the tokens, tied output or not.
    assert all(abs(row["learner"]["mismatch"]) < 1e-3 for row in rows)
    summary = json.loads((place / "runs" / name / "summary.json").read_text())
    assert summary["eval"]["after"]["errors"] == 0
