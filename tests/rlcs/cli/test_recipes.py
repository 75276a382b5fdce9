"""Configurations for full size pass ``rlcs doctor`` on the GPUs that they name.

Models have their published shapes and no weights; tokenizer, processor and rows are tiny ones.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from full_size import GLM_9B, QWEN_15B
from transformers import AutoConfig, Glm4vConfig, Qwen2Config
from workshop import ROOT, environment

from rlcs.cli.main import main

RECIPES = [
    *sorted((ROOT / "configs").glob("glm41v_9b_*.yaml")),
    ROOT / "configs" / "qwen25_15b_8gpu.yaml",
]


def config_of(recipe: Path, tiny_folder: str) -> Any:
    """The published shape, with the token ids of the tiny model."""
    tiny = AutoConfig.from_pretrained(tiny_folder)
    if recipe.name.startswith("qwen"):
        return Qwen2Config(**QWEN_15B, eos_token_id=tiny.eos_token_id)
    names = ("image", "video", "image_start", "image_end", "video_start", "video_end")
    ids = {f"{name}_token_id": getattr(tiny, f"{name}_token_id") for name in names}
    return Glm4vConfig(**GLM_9B, **ids, eos_token_id=tiny.eos_token_id)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows of every domain, the math ones as GSM8K has them."""
    folder = tmp_path_factory.mktemp("rows")
    sizes = ["--train", "8", "--heldout", "8", "--demonstrations", "1"]
    command = [sys.executable, str(ROOT / "scripts" / "make_vision_tasks"), str(folder), *sizes]
    subprocess.run(command, check=True, env=environment(), capture_output=True)
    for kind in ("train", "heldout"):
        lines = (
            json.dumps({"question": f"{kind}: {number} + 1?", "answer": f"#### {number + 1}"})
            for number in range(32)
        )
        (folder / kind / "math.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_it_passes_doctor_with_the_plan_that_it_shows(
    recipe: Path,
    tiny_glm: str,
    tiny_model: str,
    rows: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = recipe.read_text()
    tree = yaml.safe_load(text)
    tiny = tiny_model if recipe.name.startswith("qwen") else tiny_glm
    model = tmp_path / "model"
    shutil.copytree(tiny, model, ignore=shutil.ignore_patterns("*.safetensors"))
    config_of(recipe, tiny).save_pretrained(model)
    overrides = [f"model.path={model}", f"run.folder={tmp_path / 'runs'}"]
    for kind in ("train", "heldout"):
        for index, source in enumerate(tree["data"][kind]):
            path = rows / kind / f"{source['domain']}.jsonl"
            overrides.append(f"data.{kind}.{index}.path={path}")
    overrides.append("run.groups_per_step=16")  # there are few rows
    (shape,) = re.findall(r"--assume (\S+)", text)
    status = main(["doctor", str(recipe), *overrides, "--assume", shape])
    said = capsys.readouterr().out
    assert status == 0, said
    assert "nothing stands in the way" in said
    plan = said.split("== memory\n")[1].split("==")[0].splitlines()
    comments = [line.removeprefix("#").strip() for line in text.splitlines() if line[:1] == "#"]
    assert [line for line in plan if line not in comments] == []
