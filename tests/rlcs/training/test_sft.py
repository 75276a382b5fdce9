"""The cold start: demonstrations in, a model folder out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from workshop import Workshop, read_jsonl, write_jsonl

pytestmark = pytest.mark.long


def test_sft_learns_and_writes_a_model_folder(workshop: Workshop, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lessons = [
        {
            "question": f"Calculate {number} + 0.",
            "answer": str(number),
            "thinking": f"{number} + 0 = {number}",
        }
        for number in range(12)
    ]
    columns = {"question": "question", "reference": "answer", "thinking": "thinking"}
    source = {"path": str(write_jsonl(tmp_path / "lessons.jsonl", lessons)), "columns": columns}
    out = tmp_path / "out" / "model"
    config = {
        "output": str(out),
        "model": {"path": str(workshop.model)},
        "data": {"train": [source]},
        "sft": {
            "num_epochs": 8,
            "batch_size": 5,  # the last batch of an epoch is smaller
            "learning_rate": 1e-2,
            "micro_batch_tokens": 512,
            "max_tokens": 128,
        },
        "hardware": {"device": "cpu", "threads_per_process": 1},
    }
    (tmp_path / "sft.yaml").write_text(yaml.safe_dump(config))
    said = workshop.call("sft", tmp_path / "sft.yaml")
    assert f"done: {out}" in said

    rows = read_jsonl(out / "sft_steps.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 25))
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert list(out.parent.iterdir()) == [out], "something half-written was left"
    AutoModelForCausalLM.from_pretrained(out)
    assert AutoTokenizer.from_pretrained(out).chat_template

    before = {path.name: path.read_bytes() for path in out.iterdir()}
    again = workshop.refuse("sft", tmp_path / "sft.yaml")
    assert "exists already" in again
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
