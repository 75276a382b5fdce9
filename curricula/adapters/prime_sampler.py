"""A curriculum as prime-rl's task sampler, and its admission of valid groups.

    sampler = CurriculumTaskSampler(make_curriculum(...), tasks, num_groups=64, pass_mark=1.0)
    curriculum = prime_rl's Curriculum(config, tasks)
    curriculum.sampler = sampler
    curriculum.gates["valid"] = sampler.gate

prime-rl (as of 2026) asks a sampler for one task at a time, shows it every finished group
(`observe`) and then asks its gates, group by group, whether to train on it; the batch is full when
enough were admitted. So there is no ranking of groups, and no expansion: the curriculum chooses the
tasks, and the gate admits groups that neither all passed nor all failed. Task keys are the
problem ids. Nothing of prime-rl is imported here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from curricula.adapters.feeding import Feed, rows_by_id
from curricula.curriculum import SamplingCurriculum
from curricula.errors import SettingsError


class CurriculumTaskSampler(Iterator[Any]):
    """Hands out the drawn tasks one by one and learns from the groups that come back.

    `tasks` have a `key` each, the problem's id. `num_groups` tasks are a step of the curriculum:
    take the number of groups in a training batch. Results may come late and in any order.
    A trace passes whose reward is at least `pass_mark`; one with an error, and one of an episode
    that is not `ok`, could not be judged.
    """

    def __init__(
        self,
        curriculum: SamplingCurriculum,
        tasks: Sequence[Any],
        *,
        num_groups: int,
        pass_mark: float = 1.0,
    ) -> None:
        if not isinstance(tasks, Sequence):
            raise SettingsError(
                f"expected a finite sequence of tasks, found a {type(tasks).__name__}; a "
                "curriculum chooses among problems that it knows"
            )
        self._tasks = tasks
        self._rows = rows_by_id([task.key for task in tasks])
        self._feed = Feed(curriculum, num_groups)
        self._pass_mark = pass_mark
        self._queue: list[str] = []
        self._steps: dict[str, int] = {}
        self.gate = ValidGroups(pass_mark)

    def __next__(self) -> Any:
        """Return the next task to roll out."""
        if not self._queue:
            drawn = self._feed.draw()
            self._steps.update({name: step for step, name in drawn})
            self._queue = [name for _, name in drawn]
        return self._tasks[self._rows[self._queue.pop(0)]]

    def observe(self, group: Sequence[Any]) -> None:
        """Learn from a finished group of episodes of one task."""
        passed = verdicts(group, self._pass_mark)
        if passed:
            name = group[0].task.key
            # A problem may be out twice; its results then count for the later step.
            step = self._steps.get(name, 0)
            self._feed.observe([step] * len(passed), [name] * len(passed), passed)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, the curriculum included, as plain data."""
        return self._feed.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems.

        Tasks that were handed out and have no results yet are handed out again.
        """
        self._feed.load_state_dict(state_dict)
        self._queue, self._steps = [], {}

    def metrics(self) -> dict[str, float]:
        """Return the curriculum's numbers to log."""
        return self._feed.curriculum.metrics()


class ValidGroups:
    """An admission gate: lets through groups that neither all passed nor all failed."""

    def __init__(self, pass_mark: float) -> None:
        self._pass_mark = pass_mark
        self._num_admitted = self._num_rejected = 0

    def admit(self, group: Sequence[Any]) -> bool:
        """Return whether a finished group has something to teach."""
        known = {passed for passed in verdicts(group, self._pass_mark) if passed is not None}
        admitted = len(known) == 2
        self._num_admitted += admitted
        self._num_rejected += not admitted
        return admitted

    def state_dict(self) -> dict[str, Any]:
        """Return the counts."""
        return {"admitted": self._num_admitted, "rejected": self._num_rejected}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict()` returned."""
        self._num_admitted = state_dict["admitted"]
        self._num_rejected = state_dict["rejected"]

    def metrics(self) -> dict[str, float]:
        """Return how many groups were let through, and how many not."""
        return {name: float(value) for name, value in self.state_dict().items()}


def verdicts(group: Sequence[Any], pass_mark: float) -> list[bool | None]:
    """Return whether each trainable trace of a group's episodes passed; None: not judged."""
    return [
        None
        if not episode.ok or trace.has_error or not trace.num_turns
        else bool(trace.reward >= pass_mark)
        for episode in group
        for trace in episode.traces
        if trace.agent.trainable
    ]
