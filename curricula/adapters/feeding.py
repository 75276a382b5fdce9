"""What the adapters share: one draw a step for batches of fixed size, and counting results."""

from collections.abc import Sequence
from typing import Any

from curricula.contract import Draw, GroupResult
from curricula.curriculum import SamplingCurriculum
from curricula.errors import ObservationError, SettingsError, StateError


class Feed:
    """Draws of a curriculum, one a step, for trainers that roll out a fixed number of problems.

    Such trainers train on all that they roll out, so the curriculum must not expand:
    `initial_expansion=1, expansion_cap=1` for the kinds that do. SettingsError when it does.

    Trainers fetch a batch ahead; what was handed out but has no results yet is part of the state,
    and is handed out again after loading it.
    """

    def __init__(self, curriculum: SamplingCurriculum, num_groups: int) -> None:
        self.curriculum = curriculum
        self._num_groups = num_groups
        self._next_step = 0
        self._out: dict[int, list[str]] = {}
        self._again: list[tuple[int, str]] = []

    def draw(self) -> list[tuple[int, str]]:
        """Return the next problems: the step that each was drawn at, and its id."""
        if self._again:
            again, self._again = self._again, []
            return again
        step = self._next_step
        draws: list[Draw] = self.curriculum.draw(self._num_groups, step=step)
        if len(draws) > self._num_groups:
            raise SettingsError(
                f"expected {self._num_groups} problems a step, found {len(draws)}: the curriculum "
                "expands, but this trainer trains on all it rolls out; make it with "
                "initial_expansion=1 and expansion_cap=1"
            )
        if not draws:
            raise SettingsError(
                f"expected problems to draw at step {step}, found none; this trainer takes "
                "everything it draws, so make the curriculum without carry_over"
            )
        self._next_step += 1
        self._out[step] = [draw.problem_id for draw in draws]
        return [(step, draw.problem_id) for draw in draws]

    def observe(
        self, steps: Sequence[int], problem_ids: Sequence[str], passed: Sequence[bool | None]
    ) -> None:
        """Learn from judged completions, in any order: step and problem of each, whether it passed.

        `passed` is None where a completion could not be judged.
        """
        for step in sorted(set(steps)):
            rows = [row for row, at in enumerate(steps) if at == step]
            results = group_results(
                [problem_ids[row] for row in rows],
                [passed[row] for row in rows],
                step=step,
            )
            self.curriculum.observe(results)
            done = {result.problem_id for result in results}
            left = [name for name in self._out.pop(step, []) if name not in done]
            if left:
                self._out[step] = left

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on exactly, as plain data (`curricula.plain`)."""
        return {
            "curriculum": self.curriculum.state_dict(),
            "next_step": self._next_step,
            "out": {step: list(names) for step, names in self._out.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        out = _checked(state)
        self.curriculum.load_state_dict(state["curriculum"])
        self._next_step = state["next_step"]
        self._out = {step: list(names) for step, names in out.items()}
        self._again = [(step, name) for step, names in self._out.items() for name in names]


def _checked(state: Any) -> dict[int, list[str]]:
    """What a saved state says was handed out; StateError when it has another form."""
    whole = (
        isinstance(state, dict)
        and {"curriculum", "next_step", "out"} <= set(state)
        and type(state["next_step"]) is int
        and isinstance(state["out"], dict)
        and all(
            type(step) is int
            and isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            for step, names in state["out"].items()
        )
    )
    if not whole:
        raise StateError(
            "expected the state of a curriculum with the problems handed out by step, found "
            "another one; load what `state_dict` returned"
        )
    out: dict[int, list[str]] = state["out"]
    return out


def group_results(
    problem_ids: Sequence[str], passed: Sequence[bool | None], *, step: int
) -> list[GroupResult]:
    """Return one result a problem, from one verdict a completion; None is our failure to judge."""
    if len(problem_ids) != len(passed):
        raise ObservationError(
            f"expected one verdict a completion, found {len(passed)} for {len(problem_ids)}"
        )
    counts: dict[str, list[int]] = {}
    for name, verdict in zip(problem_ids, passed, strict=True):
        count = counts.setdefault(name, [0, 0, 0])
        count[0] += verdict is True
        count[1] += verdict is not None
        count[2] += verdict is None
    return [GroupResult(name, step, *count) for name, count in counts.items()]


def rows_by_id(problem_ids: Sequence[str]) -> dict[str, int]:
    """Return the row of each problem; SettingsError when an id comes twice."""
    rows = {name: row for row, name in enumerate(problem_ids)}
    if len(rows) < len(problem_ids):
        raise SettingsError(
            f"expected every problem id once, found {len(problem_ids) - len(rows)} repeats"
        )
    return rows
