"""The groups a run drew, read from its `groups.jsonl`."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from curricula.contract import Fate, GroupResult
from curricula.errors import TableError
from curricula.knowledge.problems import ProblemSet


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedGroup:
    """A row of `groups.jsonl`. `probability` is NaN where the log has none in (0, 1]."""

    result: GroupResult
    domain: str
    category: str
    probability: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """The groups a run drew, by step. `num_carried` rows came again, and count once.

    `earlier`: what the run drew before the first step, as far as that still matters to a run in
    shuffled epochs: the problems of the epoch that this step is in. Empty for a whole log.
    """

    steps: list[list[LoggedGroup]]
    num_carried: int
    earlier: Sequence[str] = ()

    @property
    def groups(self) -> list[LoggedGroup]:
        """All groups of all steps, in order."""
        return [group for step in self.steps for group in step]

    def problems(self) -> ProblemSet:
        """Return the problems that occur in the log; their offline pass rates are not in it."""
        last = {group.result.problem_id: group for group in self.groups}
        return ProblemSet(
            list(last),
            [group.domain for group in last.values()],
            [group.category for group in last.values()],
        )


def read_log(path: Path | str) -> Log:
    """Read a run's `groups.jsonl`. TableError names the line that cannot be used.

    A last line without its end, as a running run may leave it, is left out.
    """
    lines = Path(path).read_bytes().split(b"\n")[:-1]
    rows = [_row(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line]
    if not rows:
        raise TableError(f"expected logged groups in {path}, found none; let the run take a step")
    steps: list[list[LoggedGroup]] = []
    carried: set[str] = set()
    num_carried = 0
    for _, step in groupby(rows, key=lambda row: row[0].result.step):
        every = list(step)
        fresh = [group for group, _ in every if group.result.problem_id not in carried]
        num_carried += len(every) - len(fresh)
        carried = {group.result.problem_id for group, fate in every if fate == Fate.CARRIED}
        steps.append(fresh)
        if len({group.result.problem_id for group in fresh}) < len(fresh):
            raise TableError(
                f"expected a problem once a step in {path}, found one twice in step "
                f"{every[0][0].result.step}; is it the log of one run?"
            )
    order = [step[0].result.step for step in steps if step]
    if sorted(set(order)) != order:
        raise TableError(f"expected rising steps in {path}, found some that go back")
    return Log(steps=[step for step in steps if step], num_carried=num_carried)


def _row(line: bytes, where: str) -> tuple[LoggedGroup, str]:
    try:
        row: dict[str, Any] = json.loads(line)
        counts = [row[name] for name in ("step", "passes", "attempts", "errors")]
        counts.append(row.get("tokens", 0))
        names = [row[name] for name in ("problem_id", "domain", "category", "fate")]
        probability = row.get("draw_probability")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TableError(
            f"expected a logged group with step, problem_id, domain, category, passes, attempts, "
            f"errors and fate in {where}, found {error!r}"
        ) from None
    if not all(isinstance(count, int) and count >= 0 for count in counts) or counts[1] > counts[2]:
        raise TableError(f"expected 0 <= passes <= attempts and whole counts in {where}")
    if not all(isinstance(name, str) for name in names):
        raise TableError(f"expected texts as ids, domain, category and fate in {where}")
    usable = isinstance(probability, int | float) and 0 < probability <= 1
    group = LoggedGroup(
        result=GroupResult(names[0], *counts),
        domain=names[1],
        category=names[2],
        probability=float(probability) if usable and probability is not None else math.nan,
    )
    return group, names[3]
