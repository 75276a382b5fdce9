"""The check on one GPU: all of it in miniature on the CPU, and what it says where memory ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "scripts" / "gpu_check"
WITHOUT = """import runpy, sys
sys.modules.update(dict.fromkeys({missing}))
sys.argv = {argv}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def script(load_script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr("sys.path", [*sys.path])  # it puts its own folder there
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "0"))
    return load_script("gpu_check")


@pytest.mark.long
@pytest.mark.parametrize(
    ("missing", "path"),
    [
        pytest.param(["ray", "vllm"], "DeepSpeed's ZeRO 0", id="DeepSpeed"),
        pytest.param(["ray", "vllm", "deepspeed"], "torch's AdamW", id="without DeepSpeed"),
    ],
)
def test_the_miniature_measures_everything(tmp_path: Path, missing: list[str], path: str) -> None:
    out = tmp_path / "found.json"
    argv = [str(SCRIPT), "--miniature", "--out", str(out)]
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing, argv=argv)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(out.read_text())
    assert path in found["update_path"]
    updates = [(row["tokens"], row["picture_tokens"]) for row in found["updates"]]
    assert updates == [(128, 0), (256, 0), (512, 0), (88, 24)]
    others = [found[name] for name in ("attention", "bfloat16", "compilations", "mask")]
    for row in (*found["updates"], *others):
        assert row["outcome"] == "measured"
    for row in found["updates"]:
        assert row["seconds"] > 0
        assert row["share_of_matrix_rate"] > 0
        assert row["peak_over_plan"] == pytest.approx(row["device_peak_bytes"] / row["plan_bytes"])
    # Both ways to attend and both precisions compute the same, as near as bfloat16 can tell.
    # A mask that shows completions to one another is off by a quarter.
    assert 0 <= found["attention"]["largest_difference"] < 0.05
    assert found["attention"]["gradient_cosine"] > 0.99
    assert 0 < found["bfloat16"]["mean_difference"] < found["bfloat16"]["p95_difference"] < 0.1
    assert found["compilations"]["lengths"] == len(found["compilations"]["first_passes"]) == 20
    assert "these numbers mean nothing" in run.stdout
    for row in (
        "| 512 tokens | ",
        "| 88 tokens, 24 of them a picture | ",
        "| the attention of a CPU against dense SDPA | ",
        "| bfloat16 against float32, few layers | ",
        "| rows of new lengths | 0 compilations in 0 of 20 lengths; ",  # a CPU compiles nothing
        "| block mask of the longest row | ",
    ):
        assert row in run.stdout


def test_what_does_not_fit_is_said_beside_the_plan(script: ModuleType) -> None:
    def run_out() -> dict[str, Any]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    case = {"tokens": 32_768, "picture_tokens": 0, "plan_bytes": 47.6e9}
    found = {
        **dict.fromkeys(("device", "torch", "transformers", "update_path"), "x"),
        "miniature": False,
        "on_gpu": True,
        "matrix": 8192,
        "matrix_rate": 8e14,
        "updates": [case | script.attempt(run_out)],
        **{name: script.attempt(run_out) for name in ("attention", "bfloat16", "compilations")},
        "mask": {"outcome": "measured", "tokens": 32_768, "peak_bytes": 4e9, "seconds": 1.0},
    }
    text = script.report(found)
    assert "| 32,768 tokens | 47.6 GB | does not fit | - | - | - | - | - |\n" in text
    assert "| FlexAttention against dense SDPA | does not fit |\n" in text
    assert "4 GB at most while it is made" in text
    assert "mean nothing" not in text


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            [],
            "expected a CUDA GPU, found none. Run it where there is one, or with --miniature to "
            "see that it runs.",
            id="no GPU",
        ),
        pytest.param(
            ["--out", "gone/found.json"],
            "--out: expected a file in a folder that is there, found no folder gone. Make it.",
            id="no folder",
        ),
    ],
)
def test_one_line_says_what_to_do(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["gpu_check", *arguments])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"gpu_check: error: {said}\n"
