"""Rounds of rollouts, for trainers that can roll out other groups than they train on.

    while names := rounds.draw():           # as many problems as the curriculum wants
        ids, passed = roll out, judge       # one entry a completion
        rounds.observe(ids, passed)
    train_on = rounds.close()               # exactly `num_groups` of them

A round is a step of the curriculum: draws, results and what was selected.
"""

from collections.abc import Sequence
from typing import Any

from curricula.adapters.feeding import group_results
from curricula.contract import Fate, GroupResult
from curricula.curriculum import SamplingCurriculum
from curricula.errors import ObservationError, SettingsError, StateError, listed


class Rounds:
    """Draws, observes and selects for a trainer whose batches hold `num_groups` groups.

    The trainer keeps no groups for the next batch, so the curriculum must not `carry_over`, and
    generates all completions of a group at once, so it must not screen (SettingsError).
    """

    def __init__(self, curriculum: SamplingCurriculum, num_groups: int) -> None:
        if curriculum.screening:
            raise SettingsError(
                f"expected a curriculum without screening, found one of {curriculum.screening} "
                "completions: this trainer generates all completions of a group at once"
            )
        self.curriculum = curriculum
        self.num_groups = num_groups
        self.step = 0
        self._next: list[str] = []
        self._awaited: list[str] = []
        self._results: list[GroupResult] = []

    def draw(self) -> list[str]:
        """Return the problems to roll out next; an empty list when this step needs no more."""
        if self.wants_more():
            self._awaited, self._next = self._next, []
            return list(self._awaited)
        return []

    def wants_more(self) -> bool:
        """Whether the next `draw` will return problems. SettingsError when the step has too few.

        To be asked when all that was drawn has been observed.
        """
        if not self._next:
            draws = self.curriculum.draw(self.num_groups, step=self.step)
            self._next = [draw.problem_id for draw in draws]
            if not self._next and len(self._results) < self.num_groups:
                raise SettingsError(
                    f"expected at least {self.num_groups} groups at step {self.step}, found "
                    f"{len(self._results)}: this trainer fills its batches, so give it more "
                    "problems or smaller batches"
                )
        return bool(self._next)

    def observe(
        self,
        problem_ids: Sequence[str],
        passed: Sequence[bool | None],
        *,
        missing: int = 0,
    ) -> None:
        """Learn from the judged completions of all that was drawn last, in any order.

        `passed` is None where a completion could not be judged. A problem that was drawn and is
        not named lost all its completions, `missing` in number, through our failure; where this
        is 0, ObservationError.
        """
        results = {
            result.problem_id: result
            for result in group_results(problem_ids, passed, step=self.step)
        }
        lost = [name for name in self._awaited if name not in results]
        if lost and not missing:
            raise ObservationError(
                f"expected completions of all {len(self._awaited)} problems drawn last, found "
                f"none of {listed(lost)}"
            )
        results |= {name: GroupResult(name, self.step, 0, 0, missing) for name in lost}
        # In the order of the draws, by which ties between groups are decided.
        ordered = [results.pop(name) for name in self._awaited] + list(results.values())
        self.curriculum.observe(ordered)
        self._results += ordered
        self._awaited = []

    def close(self) -> list[str]:
        """Select the groups of this step to train on, and begin the next step.

        Exactly `num_groups` are returned, the most balanced first. Where fewer are valid, invalid
        ones fill the batch up: all their completions have the same reward, so the advantage 0.
        """
        fates = self.curriculum.select(self._results, self.num_groups)
        if self.curriculum.carried:
            raise SettingsError(
                "expected a curriculum without carry_over, found one that keeps "
                f"{len(self.curriculum.carried)} groups for the next step, which this trainer "
                "throws away"
            )
        names = [result.problem_id for result in self._results]
        chosen = [
            name for fate in _BEST_FIRST for name in names if fates[name] is fate
        ][: self.num_groups]  # fmt: skip
        self.step += 1
        self._results, self._next = [], []
        return chosen

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on exactly, as plain data (`curricula.plain`).

        StateError within a round: take it between `close` and the next `draw`.
        """
        if self._results or self._awaited or self._next:
            raise StateError(
                f"expected a state between two steps, found step {self.step} under way; save "
                "after the batch was selected"
            )
        return {"curriculum": self.curriculum.state_dict(), "next_step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        if not isinstance(state, dict) or type(state.get("next_step")) is not int:
            raise StateError(
                "expected the state of a curriculum with the number of the next step, found "
                "another one; load what `state_dict` returned"
            )
        self.curriculum.load_state_dict(state.get("curriculum"))  # type: ignore[arg-type]
        self.step = state["next_step"]
        self._next, self._awaited, self._results = [], [], []


_BEST_FIRST = (Fate.TRAINED, Fate.INVALID, Fate.ERRORED)
"""No group is surplus while the batch is not full."""
