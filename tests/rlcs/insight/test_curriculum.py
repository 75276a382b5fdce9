"""What a run's curriculum knows and what others would have drawn, on runs made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import group, make_run, open_run, problem_row, write_run

from curricula import GroupResult, SamplingCurriculum, make_curriculum
from rlcs.insight import Run, next_draw, what_if
from rlcs.insight.curriculum import problem_set
from rlcs.run.checkpoint import read_state, write_state
from rlcs.run.state import TrainerState


def save_curriculum(folder: Path, kind: str, run: Run, *, ahead: int = 0) -> SamplingCurriculum:
    """A checkpoint of a curriculum that drew and learned once; returns the curriculum.

    ``ahead``: how many steps more it drew for before, as the overlapped schedule does.
    """
    curriculum = make_curriculum(kind, problem_set(run), group_size=4, seed=3)
    for step in range(1, 2 + ahead):
        draws = curriculum.draw(8, step=step)
        results = [
            GroupResult(draw.problem_id, step, at % 5, 4, 0) for at, draw in enumerate(draws)
        ]
        curriculum.observe(results)
        curriculum.select(results, 8)
    (folder / "checkpoints" / "step_000001").mkdir(parents=True)
    state = TrainerState(steps_done=1, curriculum=curriculum.state_dict())
    write_state(folder / "checkpoints" / "step_000001", state)
    return curriculum


@pytest.mark.parametrize("kind", ["rlcs", "posterior", "uniform"])
@pytest.mark.parametrize("ahead", [0, 1])
def test_the_next_draw_has_the_curriculums_own_chances(
    tmp_path: Path, kind: str, ahead: int
) -> None:
    make_run(tmp_path / "a", steps=1)
    (tmp_path / "a" / "config.resolved.yaml").write_text(
        f"run: {{seed: 3, groups_per_step: 8}}\nrollout: {{group_size: 4}}\n"
        f"curriculum: {{kind: {kind}}}\n"
    )
    run = open_run(tmp_path / "a", tmp_path / "cache")
    curriculum = save_curriculum(tmp_path / "a", kind, run, ahead=ahead)
    found = next_draw.preview(run)
    names = [row["problem_id"] for row in found.rows]
    expected = curriculum.chances(names, found.num_draws, step=2 + ahead)
    assert [row["probability"] for row in found.rows] == expected.tolist()
    assert found.expected == pytest.approx(found.num_draws)
    assert next_draw.explained(found, names[7]) == found.rows[7]
    assert next_draw.explained(found, "of another run") is None
    for row in found.rows:
        if "bucket_draws" in row and not row["resting"]:
            share = row["bucket_draws"] / row["bucket_problems"]
            assert row["probability"] == pytest.approx(share)
    drawn = curriculum.draw(8, step=2 + ahead)
    assert len(drawn) == found.num_draws
    shown = {row["problem_id"]: row["probability"] for row in found.rows}
    assert all(shown.get(draw.problem_id) == draw.probability for draw in drawn)


def test_a_made_run_has_a_checkpoint_of_what_it_drew(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=4).checkpoint()
    found = next_draw.preview(open_run(tmp_path / "a", tmp_path / "cache"))
    assert found.saved.step == 4
    assert found.saved.curriculum.metrics()["num_observed"] == 40
    assert read_state(tmp_path / "a" / "checkpoints" / "step_000004").num_rollouts == 4 * 10 * 4


def test_what_if_replays_the_log(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=4)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    shares: list[float] = []
    found = what_if.what_if(run, ["uniform", "rlcs"], on_progress=shares.append)
    assert [row.name for row in found.rows] == ["the run itself", "uniform", "rlcs"]
    assert (found.first, found.last, found.num_groups, found.whole) == (1, 4, 40, True)
    assert shares[-1] == 1.0
    # The run drew 10 of 60 in each step, each as probable as the others.
    assert found.rows[1].covered == pytest.approx(1.0)


def test_what_if_replays_whole_steps_and_knows_the_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "MOST_GROUPS", 5)
    names = [f"p{at}" for at in range(12)]
    rows = [
        group(step, names[(4 * (step - 1) + at) % 12], 2, "trained", draw_probability=4 / 12)
        for step in range(1, 6)
        for at in range(4)
    ]
    write_run(tmp_path / "a", groups=rows, problems=[problem_row(name) for name in names])
    (tmp_path / "a" / "config.resolved.yaml").write_text(
        "rollout: {group_size: 4}\ncurriculum: {kind: uniform}\n"
    )
    run = open_run(tmp_path / "a", tmp_path / "cache")
    found = what_if.what_if(run, ["uniform"])
    assert (found.first, found.last, found.num_groups, found.whole) == (5, 5, 4, False)
    # The second step of an epoch of three: 8 of the 12 problems were within reach.
    assert found.rows[1].covered == pytest.approx(8 / 12)
