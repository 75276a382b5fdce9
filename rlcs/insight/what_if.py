"""What if: the run's log replayed under other curricula, as ``rlcs simulate RUN`` does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from curricula import CurriculumError
from curricula.contract import GroupResult
from curricula.study.contender import IN_EPOCHS, USUAL, Contender
from curricula.study.replay import Replay, logged, replay
from curricula.study.run_log import Log, LoggedGroup
from rlcs.errors import RunFolderError, sentence
from rlcs.insight.curriculum import problem_set
from rlcs.insight.run import Run

MOST_GROUPS = 20_000
"""Of the newest steps; a longer log is replayed from the command line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIf:
    """What curricula would have drawn in steps ``first`` to ``last``."""

    rows: list[Replay]
    """The run itself, then a row a curriculum."""
    first: int
    last: int
    num_groups: int
    """That the run drew in these steps."""
    whole: bool
    """Whether these are all of its steps."""


def what_if(
    run: Run,
    samplers: Sequence[str] = USUAL,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
) -> WhatIf:
    """The run itself, and what each of ``samplers`` would have drawn in its place.

    ``on_progress`` is called with the share done, in [0, 1]. It takes from seconds to a minute.

    Raises:
        RunFolderError: the run has no step yet, or a sampler is none.
    """
    try:
        contenders = [Contender.parse(text) for text in samplers]
    except CurriculumError as error:
        raise RunFolderError(sentence(str(error))) from error
    first = _first_step(run)
    try:
        problems = problem_set(run)
    except (CurriculumError, RunFolderError):
        problems = None  # those of the log are taken for all
    in_epochs = run.setting("curriculum.kind") in IN_EPOCHS
    log = _log(run, first, epoch_of=len(problems) if in_epochs and problems else 0)
    group = log.steps[0][0].result
    rows = []
    for number, contender in enumerate(contenders):
        try:
            rows.append(
                replay(
                    contender,
                    log,
                    problems,
                    group_size=int(
                        run.setting("rollout.group_size", group.attempts + group.errors)
                    ),
                    in_epochs=in_epochs,
                    on_progress=lambda done, number=number: on_progress(  # type: ignore[misc]
                        (number + done / len(log.steps)) / len(contenders)
                    ),
                )
            )
        except CurriculumError as error:
            raise RunFolderError(f"{contender.name}: {sentence(str(error))}") from error
    return WhatIf(
        rows=[logged(log), *rows],
        first=first,
        last=log.steps[-1][0].result.step,
        num_groups=len(log.groups),
        whole=first == run.store.value("SELECT min(step) FROM visits"),
    )


def _first_step(run: Run) -> int:
    """The first of the newest whole steps that have :data:`MOST_GROUPS` groups at most."""
    step = run.store.value(
        "SELECT coalesce(min(step) FILTER (groups <= ?), max(step)) FROM ("
        "  SELECT step, sum(count(*)) OVER (ORDER BY step DESC) AS groups FROM visits GROUP BY step"
        ")",
        [MOST_GROUPS],
    )
    if step is None:
        raise RunFolderError("no step of this run is finished yet: there is nothing to replay.")
    return int(step)


def _log(run: Run, first: int, *, epoch_of: int) -> Log:
    """The log from the step ``first`` on. ``epoch_of``: the problems of an epoch, 0 without any."""
    rows = run.store.rows(
        "SELECT step, problem_id, domain, category, draw_probability, passes, attempts, errors, "
        "coalesce(tokens, 0) AS tokens FROM visits WHERE step >= ? ORDER BY step",
        [first],
    )
    steps: dict[int, list[LoggedGroup]] = {}
    for row in rows:
        probability = row["draw_probability"]
        usable = probability is not None and 0 < probability <= 1
        result = GroupResult(
            *(
                row[name]
                for name in ("problem_id", "step", "passes", "attempts", "errors", "tokens")
            )
        )
        steps.setdefault(row["step"], []).append(
            LoggedGroup(
                result=result,
                domain=row["domain"],
                category=row["category"],
                probability=float(probability) if usable else math.nan,
            )
        )
    earlier = []
    if epoch_of:
        before = run.store.value("SELECT count(*) FROM visits WHERE step < ?", [first])
        earlier = run.store.rows(
            "SELECT problem_id FROM visits WHERE step < ? ORDER BY step DESC LIMIT ?",
            [first, before % epoch_of],
        )
    return Log(
        steps=list(steps.values()),
        num_carried=0,
        earlier=[row["problem_id"] for row in earlier],
    )
