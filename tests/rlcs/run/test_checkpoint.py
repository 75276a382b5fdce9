"""Which checkpoints count, which are kept, and where a model is found."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from workshop import ROOT

from rlcs.config import RunConfig
from rlcs.errors import ResumeError, RunFolderError
from rlcs.run.checkpoint import Checkpoints, find_model, read_sft_state, read_state
from rlcs.run.folder import check_resumable, find_run_config, free_run_folder
from rlcs.run.model_folder import write_model_folder
from rlcs.run.state import SftState, TrainerState


class WritingLearner:
    """Writes what a learner would: an honest stand-in, no DeepSpeed needed for names."""

    def __init__(self) -> None:
        self.num_saves = 0

    def save(self, folder: str) -> None:
        Path(folder).mkdir()
        self.num_saves += 1

    def export(self, folder: str) -> None:
        Path(folder).mkdir()
        (Path(folder) / "config.json").write_text("{}")


class Renderer:
    """Has a tokenizer that can be saved."""

    def save(self, folder: Path) -> None:
        (folder / "tokenizer.json").write_text("{}")


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints", keep=2)


def save(checkpoints: Checkpoints, step: int, best: tuple[int, float] | None = None) -> Path:
    state = TrainerState(steps_done=step, curriculum={"step": step})
    if best:
        state.best_step, state.best_accuracy = best
    return checkpoints.save(state, WritingLearner(), Renderer())


def names(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_the_newest_are_kept(checkpoints: Checkpoints) -> None:
    for step in (5, 10, 100):
        save(checkpoints, step)
    assert names(checkpoints) == ["step_000010", "step_000100"]
    assert checkpoints.latest() == checkpoints.folder / "step_000100"
    assert checkpoints.best() is None


def test_the_best_is_kept_beside_them(checkpoints: Checkpoints) -> None:
    save(checkpoints, 5, best=(5, 0.4))
    for step in (10, 15, 20):
        save(checkpoints, step, best=(5, 0.4))
    assert names(checkpoints) == ["best.json", "step_000005", "step_000015", "step_000020"]
    save(checkpoints, 25, best=(25, 0.5))
    assert names(checkpoints) == ["best.json", "step_000020", "step_000025"]
    assert checkpoints.best() == checkpoints.folder / "step_000025"


def test_a_partial_one_never_counts_and_is_dropped_by_the_next_save(
    checkpoints: Checkpoints,
) -> None:
    save(checkpoints, 5)
    partial = checkpoints.folder / "step_000010.partial"
    (partial / "model").mkdir(parents=True)
    (partial / "model" / "config.json").write_text("{}")
    (checkpoints.folder / "best.json.partial").write_text("{")  # killed within a small write
    assert checkpoints.latest() == checkpoints.folder / "step_000005"
    assert find_model(checkpoints.folder.parent) == checkpoints.folder / "step_000005" / "model"
    save(checkpoints, 15)
    assert names(checkpoints) == ["step_000005", "step_000015"]


def test_saving_a_step_again_replaces_its_state_and_keeps_its_weights(
    checkpoints: Checkpoints,
) -> None:
    save(checkpoints, 5)
    learner = WritingLearner()
    again = TrainerState(steps_done=5, best_step=5, best_accuracy=0.5)
    final = checkpoints.save(again, learner, Renderer())
    assert learner.num_saves == 0, "the only checkpoint must not be taken away to write it anew"
    assert read_state(final).best_accuracy == 0.5
    assert checkpoints.best() == final


def test_a_state_comes_back_as_it_was(checkpoints: Checkpoints) -> None:
    final = save(checkpoints, 5, best=(5, 0.25))
    expected = TrainerState(steps_done=5, curriculum={"step": 5}, best_step=5, best_accuracy=0.25)
    assert read_state(final) == expected


def test_a_state_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text('{"format": 99}')
    with pytest.raises(ResumeError, match="format 99; this version of rlcs reads format 5"):
        read_state(tmp_path)


def test_a_checkpoint_of_before_the_moves_is_refused_without_unpickling(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "trainer.pkl").write_bytes(b"crlcs.training.checkpoint\nTrainerState\n.")
    with pytest.raises(ResumeError, match=r"format 2 or older.*model\.path=.*/model"):
        read_state(tmp_path)


def test_a_model_is_found_in_a_folder_a_checkpoint_and_a_run(checkpoints: Checkpoints) -> None:
    first = save(checkpoints, 5, best=(5, 0.5))
    second = save(checkpoints, 10, best=(5, 0.5))
    run = checkpoints.folder.parent
    assert find_model(run) == first / "model", "the best one goes before the last"
    assert find_model(second) == second / "model"
    assert find_model(second / "model") == second / "model"
    with pytest.raises(RunFolderError, match="found none of them"):
        find_model(run / "nowhere")


def test_a_checkpoint_without_a_model_says_how_to_make_one(checkpoints: Checkpoints) -> None:
    final = checkpoints.save(
        TrainerState(steps_done=5), WritingLearner(), Renderer(), with_model=False
    )
    assert sorted(path.name for path in final.iterdir()) == [
        "format.json",
        "learner",
        "trainer.npz",
    ]
    for path in (final, checkpoints.folder.parent):
        with pytest.raises(RunFolderError, match=rf"no model folder.*rlcs export {path} OUT"):
            find_model(path)
    (final / "format.json").write_text('{"format": 99}')
    with pytest.raises(ResumeError, match=r"with the version that wrote it, or start again\.$"):
        read_state(final)


def test_the_state_of_a_cold_start(checkpoints: Checkpoints) -> None:
    rows = [{"step": 1, "loss": 2.5}, {"step": 3, "loss": 0.5}]
    state = SftState(steps_done=3, demonstrations="abc", rows=rows, seconds=1.5)
    final = checkpoints.save(state, WritingLearner(), Renderer(), with_model=False)
    assert read_sft_state(final) == state
    with pytest.raises(ResumeError, match=r"is damaged: trainer\.npz: state"):
        read_state(final)
    later = dataclasses.replace(state, steps_done=9, rows=[{"step": 10}])
    second = checkpoints.save(later, WritingLearner(), Renderer(), with_model=False)
    with pytest.raises(ResumeError, match=r"state\.rows: .*step_000003, is whole"):
        read_sft_state(second)


def test_export_writes_whole_folders_and_only_new_ones(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    save(checkpoints, 5)
    out = tmp_path / "deep" / "out"
    (tmp_path / "deep" / "out.partial").mkdir(parents=True)  # of an export that was killed
    made_of = write_model_folder(tmp_path, out)
    assert made_of == checkpoints.folder / "step_000005" / "model"
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "tokenizer.json"]
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(RunFolderError, match="exists already"):
        write_model_folder(tmp_path, out)


def run_config(**sections: dict[str, object]) -> RunConfig:
    data = {"train": [{"path": "train.jsonl"}]}
    return RunConfig.model_validate({"model": {"path": "model"}, "data": data, **sections})


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"run": {"num_steps": 200}}, "run.num_steps: 100 -> 200"),
        ({"run": {"save_every": 5}}, "run.save_every: 25 -> 5"),
        ({"run": {"model_every": 0}}, "run.model_every: 1 -> 0"),
        ({"learner": {"num_ranks": 2}}, "learner.num_ranks: 1 -> 2"),
        ({"learner": {"zero_stage": 3}}, "learner.zero_stage: 0 -> 3"),
        ({"rollout": {"num_actors": 2}}, "rollout.num_actors: 1 -> 2"),
        ({"run": {"keep_checkpoints": 9}}, "run.keep_checkpoints: 2 -> 9"),
        ({"evaluation": {"every_steps": 5}}, "evaluation.every_steps: None -> 5"),
        ({"tracking": {"tensorboard": False}}, "tracking.tensorboard: True -> False"),
        ({"hardware": {"ray_address": "auto"}}, "hardware.ray_address: None -> 'auto'"),
    ],
)
def test_what_does_not_touch_a_step_may_change(
    sections: dict[str, dict[str, object]], line: str
) -> None:
    assert check_resumable(run_config(), run_config(**sections)) == [line]


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"learner": {"learning_rate": 1e-3}}, "learner.learning_rate: 1e-06 -> 0.001"),
        ({"run": {"seed": 1}}, "run.seed: 0 -> 1"),
        ({"rollout": {"group_size": 4}}, "rollout.group_size: 8 -> 4"),
        ({"data": {"train": [{"path": "other.jsonl"}]}}, "data.train.0.path"),
        ({"curriculum": {"kind": "uniform"}}, "curriculum.kind: 'rlcs' -> 'uniform'"),
        ({"hardware": {"device": "cpu"}}, "hardware.device: 'auto' -> 'cpu'"),
    ],
)
def test_what_makes_it_another_run_is_refused_by_name(
    sections: dict[str, dict[str, object]], line: str
) -> None:
    changed = {"run": {"save_every": 3}, **sections}
    with pytest.raises(ResumeError) as refused:
        check_resumable(run_config(), run_config(**changed))
    assert line in str(refused.value)
    assert "run.save_every: " not in str(refused.value), "only what stands in the way"


def test_the_number_of_steps_is_fixed_by_a_falling_learning_rate() -> None:
    old = run_config(learner={"schedule": "cosine"})
    new = run_config(learner={"schedule": "cosine"}, run={"num_steps": 200})
    with pytest.raises(ResumeError, match=r"run\.num_steps: 100 -> 200"):
        check_resumable(old, new)


def test_a_run_folder_must_be_new_and_a_resumed_one_must_be_a_run(tmp_path: Path) -> None:
    config = run_config(run={"folder": str(tmp_path), "name": "new"})
    assert free_run_folder(config) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    with pytest.raises(RunFolderError, match="exists already"):
        free_run_folder(config)
    with pytest.raises(ResumeError, match="found none in it"):
        find_run_config(tmp_path / "new")
    with pytest.raises(ResumeError, match="found no such folder"):
        find_run_config(ROOT / "nowhere")
