"""A tiny GLM-4.1V is trained on films, beside rows with pictures and rows of text alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import yaml
from shared_cluster import SharedCluster
from workshop import Workshop, base_config, read_jsonl, write_jsonl

pytestmark = pytest.mark.stress


def frames(seed: int, number: int) -> list[PIL.Image.Image]:
    """Frames of noise."""
    draw = np.random.default_rng(seed)
    return [
        PIL.Image.fromarray(draw.integers(0, 256, (56, 56, 3), dtype=np.uint8))
        for _ in range(number)
    ]


def write_rows(folder: Path) -> None:
    """Rows with a film as one file, with one as single frames, with a picture, and with neither."""
    rows: list[dict[str, Any]] = []
    for seed in range(6):
        first, *others = frames(seed, 4)
        first.save(folder / f"{seed}.gif", save_all=True, append_images=others, duration=500)
        first.save(folder / f"{seed}.png")
        others[0].save(folder / f"{seed}b.png")
        apart = {"frames": [f"{seed}.png", f"{seed}b.png"], "seconds": [0.0, 0.5]}
        rows += [
            {"question": f"<video>What is in film {seed}?", "film": f"{seed}.gif"},
            {"question": f"<video>What is in frames {seed}?", "film": apart},
            {"question": f"<image>What is in picture {seed}?", "picture": f"{seed}.png"},
            {"question": f"What is {seed} + 1?"},
        ]
    blank = {"film": [], "picture": []}
    asked = [{**blank, **row, "answer": "50"} for row in rows]  # half of all texts are right
    kinds = {"films": asked[0::4], "apart": asked[1::4], "rest": asked[2::4] + asked[3::4]}
    for kind, some in kinds.items():
        write_jsonl(folder / f"{kind}.jsonl", some)


@pytest.fixture(scope="module")
def watching(
    tiny_glm: str, shared_cluster: SharedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    folder = tmp_path_factory.mktemp("watching")
    write_rows(folder)
    columns = {"question": "question", "reference": "answer"}
    seen = {"videos": "film", "images": "picture"}
    config = base_config(folder)
    config["model"]["path"] = tiny_glm
    config["data"] = {
        "video": {"frames_per_second": 2.0, "max_frames": 4},
        "train": [
            {
                "path": str(folder / f"{kind}.jsonl"),
                "domain": "checksum",
                "category": kind,
                "columns": {**columns, **seen},
            }
            for kind in ("films", "apart", "rest")
        ],
        "heldout": [],
    }
    config["rollout"]["max_prompt_tokens"] = 96
    config["evaluation"]["every_steps"] = None
    config["learner"]["num_ranks"] = 2
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return Workshop(folder, shared_cluster)


def test_two_steps_and_a_resume(watching: Workshop) -> None:
    shape = ("run.num_steps=2", "run.save_every=1", "curriculum.carry_over=false")
    watching.call("train", watching.config, "run.name=two", *shape)
    run = watching.run_folder("two")
    watching.call("train", "--resume", run, "run.num_steps=3")
    steps = read_jsonl(run / "log" / "steps.jsonl")
    assert [row["step"] for row in steps] == [1, 2, 3]
    for row in steps:
        assert row["learner"]["grad_norm"] > 0
        # The learner finds the tokens as likely as the engine said, of the same frames.
        assert row["learner"]["mean_abs_log_ratio"] < 1e-5
    drawn = {row["category"] for row in read_jsonl(run / "log" / "groups.jsonl")}
    assert {"films", "apart"} <= drawn
