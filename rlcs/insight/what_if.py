"""What if: the run's log replayed under other curricula, as ``rlcs simulate RUN`` does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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


def what_if(
    run: Run,
    samplers: Sequence[str] = USUAL,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[Replay]:
    """The run itself, and what each of ``samplers`` would have drawn in its place.

    ``on_progress`` is called with the share done, in [0, 1]. It takes from seconds to a minute.

    Raises:
        RunFolderError: the run has no step yet, or a sampler is none.
    """
    log = _log(run)
    try:
        contenders = [Contender.parse(text) for text in samplers]
        problems = problem_set(run)[1]
    except CurriculumError as error:
        raise RunFolderError(sentence(str(error))) from error
    except RunFolderError:
        problems = None  # those of the log are taken for all
    rows = [logged(log)]
    first = log.steps[0][0].result
    for number, contender in enumerate(contenders):
        try:
            rows.append(
                replay(
                    contender,
                    log,
                    problems,
                    group_size=int(run.setting("rollout.group_size", first.attempts)),
                    in_epochs=run.setting("curriculum.kind") in IN_EPOCHS,
                    on_progress=lambda done, number=number: on_progress(  # type: ignore[misc]
                        (number + done / len(log.steps)) / len(contenders)
                    ),
                )
            )
        except CurriculumError as error:
            raise RunFolderError(f"{contender.name}: {sentence(str(error))}") from error
    return rows


def _log(run: Run) -> Log:
    rows = run.store.rows(
        "SELECT * FROM (SELECT step, problem_id, domain, category, draw_probability, passes, "
        "attempts, errors, coalesce(tokens, 0) AS tokens FROM visits ORDER BY step DESC LIMIT ?) "
        "ORDER BY step",
        [MOST_GROUPS],
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
    if not steps:
        raise RunFolderError("no step of this run is finished yet: there is nothing to replay.")
    return Log(steps=list(steps.values()), num_carried=0)
