"""A model out of a checkpoint without one: the same bytes, no rank, no code of the folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from small_disk import small_disk
from workshop import NUM_STEPS, Workshop

from rlcs.errors import ModelError, ResumeError, StorageError
from rlcs.run.model_folder import write_model_folder

pytestmark = pytest.mark.long


@pytest.fixture
def bare(whole_run: Path, tmp_path: Path) -> Path:
    """A copy of the whole run, as run.model_every=0 would have written it."""
    run = Path(shutil.copytree(whole_run, tmp_path / "bare"))
    for model in run.glob("checkpoints/*/model"):
        shutil.rmtree(model)
    return run


@pytest.mark.parametrize("kind", ["run", "checkpoint"])
def test_the_model_is_the_one_that_was_left_out(
    kind: str, bare: Path, whole_run: Path, workshop: Workshop, tmp_path: Path
) -> None:
    last = f"checkpoints/step_{NUM_STEPS:06d}"
    (bare / "checkpoints" / "best.json").unlink()
    made = tmp_path / "made"
    said = workshop.call("export", bare if kind == "run" else bare / last, made)
    assert f"{bare / last} -> {made}" in said
    expected = whole_run / last / "model"
    assert {path.name for path in made.iterdir()} == {path.name for path in expected.iterdir()}
    for path in expected.iterdir():
        assert (made / path.name).read_bytes() == path.read_bytes(), path.name


def test_whoever_needs_a_model_is_told_to_make_one(bare: Path, workshop: Workshop) -> None:
    for command in (["eval", workshop.config, "--model", bare], ["serve", bare]):
        said = workshop.refuse(*command)
        assert "has no model folder, as run.model_every has it" in said
        assert f"rlcs export {bare} OUT" in said


def test_a_damaged_state_leaves_nothing_half_written(bare: Path, tmp_path: Path) -> None:
    for file in bare.glob("checkpoints/*/learner/*.safetensors"):
        file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ResumeError, match="is damaged: the learner's state: expected the learner"):
        write_model_folder(bare, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_the_model_it_started_from_is_gone_or_another(
    bare: Path, tiny_glm: str, tmp_path: Path
) -> None:
    config = yaml.safe_load((bare / "config.resolved.yaml").read_text())
    config["model"]["path"] = tiny_glm
    (bare / "config.resolved.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ResumeError, match=r"of other names or shapes\. Put the model .* back"):
        write_model_folder(bare, tmp_path / "made")
    config["model"]["path"] = str(tmp_path / "gone")
    (bare / "config.resolved.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ModelError, match="gone"):
        write_model_folder(bare, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_a_disk_without_room(bare: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib=100) as disk:
        with pytest.raises(StorageError, match=r"about 0\.2 MiB are needed"):
            write_model_folder(bare, disk / "made")
        assert list(disk.iterdir()) == []


def test_only_every_so_many_checkpoints_have_a_model(
    bare: Path, workshop: Workshop, tmp_path: Path
) -> None:
    run = tmp_path / "bare"
    changes = (
        "run.num_steps=16",
        "run.save_every=2",
        "run.model_every=3",
        "run.keep_checkpoints=9",
    )
    said = workshop.call("train", "--resume", run, *changes)
    assert "changed: run.model_every: 1 -> 3" in said
    best = json.loads((run / "checkpoints" / "best.json").read_text())["checkpoint"]
    with_model = {path.parent.name for path in run.glob("checkpoints/*/model")}
    names = {path.name for path in run.glob("checkpoints/step_*")}
    assert names - {best} >= {f"step_{step:06d}" for step in (10, 12, 14, 16)} - {best}
    assert with_model == {"step_000012", "step_000016"}
