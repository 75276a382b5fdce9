"""The run's own curriculum as of its last checkpoint, made again from the run folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curricula import CurriculumError, ProblemSet
from curricula.curriculum import SamplingCurriculum
from curricula.knowledge.ids import IdTable
from curricula.plain import unpack
from curricula.study.samplers import make_any_curriculum
from rlcs.errors import RunFolderError, sentence
from rlcs.insight.folders import file_inside
from rlcs.insight.run import Run

_MOST_BYTES = 2**31


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedCurriculum:
    """A curriculum that knows what the run knew after ``step``."""

    step: int
    """After which it was saved."""
    next_step: int
    """For which it draws next: later than the one after ``step`` where steps are drawn ahead."""
    curriculum: SamplingCurriculum
    groups_per_step: int


def checkpoint_version(run: Run) -> str:
    """Changes when :func:`saved_curriculum` has something new to say; empty without a checkpoint.

    Its name alone would not do: a run that is begun anew saves under the same names.
    """
    name = newest_checkpoint(run)
    path = file_inside(run.folder, f"checkpoints/{name}/trainer.npz") if name else None
    try:
        return f"{name} {path.stat().st_mtime_ns}" if path is not None else ""
    except OSError:  # pruned between two looks
        return ""


def newest_checkpoint(run: Run) -> str:
    """The name of the last checkpoint, empty without one."""
    try:
        names = [path.name for path in (run.folder / "checkpoints").iterdir()]
    except OSError:
        return ""
    steps = [name for name in names if name.startswith("step_") and name[5:].isdecimal()]
    return max(steps, key=lambda name: int(name[5:]), default="")


def saved_curriculum(run: Run) -> SavedCurriculum:
    """The curriculum of the run's last checkpoint. It takes seconds for a million problems.

    Raises:
        RunFolderError: there is no checkpoint, it is damaged, or what it needs is not in the run
            folder; the message says what.
    """
    state = _state(run)
    kind, settings = _split(run.config().get("curriculum"))
    try:
        curriculum = make_any_curriculum(
            kind,
            problem_set(run),
            group_size=int(run.setting("rollout.group_size", 8)),
            seed=int(run.setting("run.seed", 0)),
            **settings,
        )
        curriculum.load_state_dict(state["curriculum"])
    except (CurriculumError, TypeError, ValueError, KeyError) as error:
        raise RunFolderError(
            f"the curriculum of the last checkpoint cannot be made again: {sentence(str(error))}"
        ) from error
    assert isinstance(curriculum, SamplingCurriculum)
    step = int(state["steps_done"])
    return SavedCurriculum(
        step=step,
        next_step=max(step, int(state["curriculum"]["step"])) + 1,
        curriculum=curriculum,
        groups_per_step=int(run.setting("run.groups_per_step", 32)),
    )


def problem_set(run: Run) -> ProblemSet:
    """The training problems as a curriculum needs them.

    Raises:
        RunFolderError: the run kept no problems.
        CurriculumError: they are none that a curriculum could draw from, such as two of one id.
    """
    run.reader.read_problems()
    names = "coalesce(domain, '') AS domain, coalesce(category, '') AS category"
    pairs = run.store.rows(
        f"SELECT DISTINCT {names} FROM problems WHERE split = 'train' ORDER BY ALL"
    )
    if not pairs:
        raise RunFolderError(
            "this run kept no problems.parquet, which says what could be drawn. Runs of this "
            "version of rlcs keep it."
        )
    # A number for each problem's category: names would be millions of texts.
    rows = run.store.columns(
        f"WITH pairs AS (SELECT *, row_number() OVER (ORDER BY domain, category) - 1 AS code "
        f"  FROM (SELECT DISTINCT {names} FROM problems WHERE split = 'train')), "
        f"known AS (SELECT coalesce(problem_id, '') AS problem_id, {names}, prior_pass_rate "
        "  FROM problems WHERE split = 'train') "
        "SELECT problem_id, code, prior_pass_rate FROM known JOIN pairs USING (domain, category)"
    )
    return ProblemSet.of_arrays(
        *IdTable.build(rows["problem_id"].tolist()),
        [(pair["domain"], pair["category"]) for pair in pairs],
        rows["code"].astype(np.uint16),
        rows["prior_pass_rate"].astype(float),
        None,
    )


def _state(run: Run) -> dict[str, Any]:
    name = newest_checkpoint(run)
    path = file_inside(run.folder, f"checkpoints/{name}/trainer.npz") if name else None
    if path is None:
        raise RunFolderError(
            "there is no checkpoint yet: what the curriculum knows is saved with one "
            "(run.save_every)."
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RunFolderError(f"{name} is too large to be read here.")
        state = unpack(path.read_bytes())
    except (CurriculumError, OSError) as error:
        raise RunFolderError(f"{name} cannot be read: {sentence(str(error))}") from error
    if not isinstance(state, dict) or not {"curriculum", "steps_done"} <= set(state):
        raise RunFolderError(f"{name} holds no state of a run.")
    return state


def _split(section: Any) -> tuple[str, dict[str, Any]]:
    """The kind of a curriculum's section of the configuration, and its settings."""
    if not isinstance(section, dict):
        raise RunFolderError("the run's configuration has no curriculum.")
    settings = {name: value for name, value in section.items() if name != "kind"}
    return str(section.get("kind", "rlcs")), settings
