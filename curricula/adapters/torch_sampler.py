"""A curriculum as the batch sampler of a PyTorch DataLoader.

    sampler = CurriculumBatchSampler(curriculum, ids, num_groups=64, num_steps=1000)
    for batch in DataLoader(dataset, batch_sampler=sampler):
        passed = roll out, judge                    # one verdict a completion
        results = sampler.observe(problem_ids, passed)
        fates = curriculum.select(results, 64)

A batch is one draw: as many problems as the curriculum wants rolled out. Kinds that refill draw
several times in a step. With `num_workers` above 0 the loader fetches batches ahead, which are then
drawn before the results of those before them are known; use 0.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import Sampler

from curricula.adapters.feeding import group_results, rows_by_id
from curricula.contract import Curriculum, Draw, GroupResult


class CurriculumBatchSampler(Sampler[list[int]]):
    """Yields the rows to roll out; `ids[i]` is the problem id of row i of the data set.

    `step` is the running step, `draws` the draws of the batch yielded last, in its order. Iterating
    goes on after what was yielded before; `num_steps` is the step to end before.
    """

    def __init__(
        self, curriculum: Curriculum, ids: Sequence[str], *, num_groups: int, num_steps: int
    ) -> None:
        self._curriculum = curriculum
        self._rows = rows_by_id(ids)
        self._num_groups = num_groups
        self._num_steps = num_steps
        self.step = 0
        self.draws: list[Draw] = []

    def __iter__(self) -> Iterator[list[int]]:
        while self.step < self._num_steps:
            draws = self._curriculum.draw(self._num_groups, step=self.step)
            if draws:
                self.draws = draws
                yield [self._rows[draw.problem_id] for draw in draws]
            else:
                self.step, self.draws = self.step + 1, []

    def __len__(self) -> int:
        """Return the steps left: as many batches, for kinds that draw once a step."""
        return self._num_steps - self.step - bool(self.draws)

    def observe(
        self, problem_ids: Sequence[str], passed: Sequence[bool | None]
    ) -> list[GroupResult]:
        """Tell the curriculum what the completions of the last batch came to; return its groups.

        One entry a completion, in any order: its problem, and whether it passed (None where it
        could not be judged). Errors as of `Curriculum.observe`.
        """
        results = group_results(problem_ids, passed, step=self.step)
        self._curriculum.observe(results)
        return results

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, the curriculum included; take it after `observe`."""
        return {
            "step": self.step,
            "draws": list(map(tuple, self.draws)),
            "curriculum": self._curriculum.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        self._curriculum.load_state_dict(state["curriculum"])
        self.step = state["step"]
        self.draws = [Draw(*draw) for draw in state["draws"]]
