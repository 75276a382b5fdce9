"""The cold start: demonstrations in, a model folder out, and exactly so after a kill."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import yaml
from safetensors.numpy import load_file
from workshop import Workshop, read_jsonl, write_jsonl

from curricula.plain import pack, unpack
from rlcs.run.checkpoint import Checkpoints

pytestmark = pytest.mark.long

NUM_STEPS, SAVE_EVERY = 48, 5


def write_config(
    folder: Path, model: Path | str, out: Path, sections: dict[str, Any] | None = None
) -> Path:
    """A cold start of 48 steps on twelve sums."""
    lessons = [
        {
            "question": f"Calculate {number} + 0.",
            "answer": str(number),
            "thinking": f"{number} + 0 = {number}",
        }
        for number in range(12)
    ]
    columns = {"question": "question", "reference": "answer", "thinking": "thinking"}
    source = {"path": str(write_jsonl(folder / "lessons.jsonl", lessons)), "columns": columns}
    config = {
        "output": str(out),
        "model": {"path": str(model)},
        "data": {"train": [source]},
        "sft": {
            "num_epochs": 16,
            "batch_size": 5,  # the last batch of an epoch is smaller
            "learning_rate": 1e-2,
            "schedule": "cosine",
            "micro_batch_tokens": 512,
            "max_tokens": 128,
            "save_every": SAVE_EVERY,
        },
        "hardware": {"device": "cpu", "threads_per_process": 1},
    }
    config["sft"] |= (sections or {}).get("sft", {})
    config["data"] |= (sections or {}).get("data", {})
    (folder / "sft.yaml").write_text(yaml.safe_dump(config))
    return folder / "sft.yaml"


@pytest.fixture(scope="module")
def taught(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a cold start that nothing disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    out = folder / "out" / "model"
    said = workshop.call("sft", write_config(folder, workshop.model, out))
    assert f"done: {out}" in said
    return out


def test_sft_learns_and_writes_a_model_folder(taught: Path, workshop: Workshop) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = read_jsonl(taught / "sft_steps.jsonl")
    assert [row["step"] for row in rows] == list(range(1, NUM_STEPS + 1))
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert list(taught.parent.iterdir()) == [taught], "something half-written was left"
    AutoModelForCausalLM.from_pretrained(taught)
    assert AutoTokenizer.from_pretrained(taught).chat_template

    before = {path.name: path.read_bytes() for path in taught.iterdir()}
    again = workshop.refuse("sft", taught.parent.parent / "sft.yaml")
    assert "exists already" in again
    assert {path.name: path.read_bytes() for path in taught.iterdir()} == before


def test_killed_in_a_save_and_stopped_it_ends_as_if_nothing_had_happened(
    taught: Path, workshop: Workshop, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    state = tmp_path / "out.unfinished"
    config = write_config(tmp_path, workshop.model, out)

    first = workshop.start("sft", config)
    first.wait_for((state / "checkpoints" / "step_000010.partial").exists)
    first.send(signal.SIGKILL)
    assert first.finish() == -signal.SIGKILL
    assert sorted(path.name for path in state.iterdir()) == ["checkpoints", "config.resolved.yaml"]
    latest = Checkpoints(state / "checkpoints", keep=1).latest()
    assert latest is not None
    assert latest.name in ("step_000005", "step_000010"), "whether the kill came before the rename"
    assert not out.exists()
    assert f"rlcs sft --resume {state}" in workshop.refuse("sft", config)

    second_save = state / "checkpoints" / "step_000014"
    said = workshop.interrupt(second_save.exists, "sft", "--resume", state, "sft.save_every=7")
    assert "resuming" in said
    assert f"after step {int(latest.name[5:])}" in said
    assert f"Go on with: rlcs sft --resume {state}" in said
    (saved,) = (state / "checkpoints").iterdir()
    assert f"stopped after step {int(saved.name[5:])} and saved" in said
    assert not (saved / "model").exists()

    refused = workshop.refuse("sft", "--resume", state, "sft.learning_rate=1e-3")
    assert "sft.learning_rate: 0.01 -> 0.001" in refused
    lessons = tmp_path / "lessons.jsonl"
    rows = lessons.read_text()
    lessons.write_text(rows.replace("3 + 0 = 3", "3 + 0 = 4"))
    assert "found others (12 now)" in workshop.refuse("sft", "--resume", state)
    lessons.write_text(rows)
    damage(saved, tmp_path, state, workshop)

    said = workshop.call("sft", "--resume", state)
    assert f"after step {int(saved.name[5:])}" in said
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["copy", "out"]
    assert_equal(out, taught)


def damage(saved: Path, folder: Path, state: Path, workshop: Workshop) -> None:
    """A copy of the state whose numbers cannot be is refused, and says which."""
    copy = Path(shutil.copytree(state, folder / "copy"))
    checkpoint = copy / "checkpoints" / saved.name
    plain = unpack((checkpoint / "trainer.npz").read_bytes())
    (checkpoint / "trainer.npz").write_bytes(pack({**plain, "steps_done": -1}))
    said = workshop.refuse("sft", "--resume", copy)
    assert "is damaged: trainer.npz: state.steps_done" in said
    assert "Traceback" not in said
    (checkpoint / "trainer.npz").write_bytes(pack(plain))
    (checkpoint / "learner" / "state.json").write_text(json.dumps({"steps": 3, "shapes": {}}))
    said = workshop.refuse("sft", "--resume", copy)
    assert "is damaged: the learner's state" in said
    assert "Traceback" not in said
    shutil.rmtree(copy / "checkpoints" / saved.name)
    assert "has no complete checkpoint" in workshop.refuse("sft", "--resume", copy)


@pytest.mark.stress
@pytest.mark.parametrize("trained", ["adapters", "language"])
def test_what_is_frozen_stays_and_a_resume_is_exact(
    trained: str, workshop: Workshop, tiny_glm: str, tmp_path: Path
) -> None:
    """On a model that sees, of adapters and of the language model alone."""
    PIL.Image.fromarray(np.zeros((56, 56, 3), np.uint8)).save(tmp_path / "one.png")
    lessons = [
        {"q": "How many?", "a": "2", "r": f"<think>{n}</think><answer>2</answer>", "i": "one.png"}
        for n in range(6)
    ]
    columns = {"question": "q", "reference": "a", "response": "r", "images": "i"}
    source = {"path": str(write_jsonl(tmp_path / "seen.jsonl", lessons)), "columns": columns}
    sft = {"train": trained, "num_epochs": 4, "batch_size": 3, "zero_stage": 2, "max_tokens": 512}
    sections = {"sft": sft, "data": {"train": [source]}}
    calm, stopped = tmp_path / "calm", tmp_path / "stopped"
    workshop.call("sft", write_config(tmp_path, tiny_glm, calm, sections))

    config = write_config(tmp_path, tiny_glm, stopped, sections)
    state = tmp_path / "stopped.unfinished"
    first_save = state / "checkpoints" / "step_000002"
    workshop.interrupt(first_save.exists, "sft", config, "sft.save_every=2")
    (saved,) = (state / "checkpoints").iterdir()
    tensors = [name for path in saved.rglob("*.safetensors") for name in load_file(path)]
    assert tensors
    assert not [name for name in tensors if "visual" in name], "what is frozen is not saved"
    assert all("lora" in name for name in tensors) == (trained == "adapters")
    workshop.call("sft", "--resume", state)
    one, two = (load_file(out / "model.safetensors") for out in (calm, stopped))
    assert all((one[name] == two[name]).all() for name in one)
    untrained = load_file(Path(tiny_glm) / "model.safetensors")
    assert one.keys() == untrained.keys()
    changed = {name for name in one if (one[name] != untrained[name]).any()}
    assert changed
    assert not [name for name in changed if "visual" in name]


def assert_equal(found: Path, expected: Path) -> None:
    """The same weights bit for bit, and the same log but for its clock."""
    assert (found / "model.safetensors").read_bytes() == (
        expected / "model.safetensors"
    ).read_bytes()
    rows = [read_jsonl(folder / "sft_steps.jsonl") for folder in (found, expected)]
    one, two = ([{**row, "seconds": 0} for row in each] for each in rows)
    assert one == two
    seconds = [row["seconds"] for row in rows[0]]
    assert seconds == sorted(seconds), "the time of all sessions together"
