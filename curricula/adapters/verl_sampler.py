"""A curriculum as verl's sampler (its interface `AbstractCurriculumSampler`, verl 0.5 and 0.6).

    data.sampler.class_path=pkg://curricula.adapters.verl_sampler
    data.sampler.class_name=VerlCurriculumSampler
    data.dataloader_num_workers=0
    +data.sampler.kind=rlcs +data.sampler.pass_mark=1.0 +data.sampler.group_size=8
    +data.sampler.settings.sharpness=2

A row of the data set is told from others by its `data_source` (which is the curriculum's domain)
and its `extra_info.index`; `ability` is the category. verl trains on every group it rolls out, so
the curriculum does not expand. verl calls `update` with the judged batch after each step, and saves
the sampler's state with its data loader's.
"""

from collections.abc import Iterator, Sized
from typing import Any

from verl.experimental.dataset.sampler import AbstractCurriculumSampler

from curricula.adapters.feeding import Feed, rows_by_id
from curricula.adapters.verl_rows import ids_of, problem_id, problems_of, settings_of
from curricula.factory import make_curriculum
from curricula.settings import SETTINGS, AdaptiveSettings

_UNEXPANDED = {"initial_expansion": 1.0, "expansion_cap": 1.0}


class VerlCurriculumSampler(AbstractCurriculumSampler):  # type: ignore[misc]
    """Gives verl the drawn rows and learns from its judged batches.

    verl makes it: `data_source` is its RLHFDataset, `data_config` its config.data. An epoch has as
    many whole batches as the data set, though not every row once.
    """

    def __init__(self, data_source: Sized, data_config: Any) -> None:
        rows = data_source.dataframe  # type: ignore[attr-defined]
        given = data_config.sampler
        kind = given.get("kind", "rlcs")
        names = ids_of(rows)
        adaptive = issubclass(SETTINGS.get(kind, AdaptiveSettings), AdaptiveSettings)
        self.curriculum = make_curriculum(
            kind,
            problems_of(rows),
            group_size=given.get("group_size", 8),
            seed=data_config.get("seed") or 0,
            **{**(_UNEXPANDED if adaptive else {}), **settings_of(given)},
        )
        num_groups: int = data_config.get("gen_batch_size", data_config.train_batch_size)
        self._feed = Feed(self.curriculum, num_groups)
        self._rows = rows_by_id(names)
        self._length = len(names) // num_groups * num_groups
        self._steps: dict[str, int] = {}
        self._queue: list[int] = []
        self._position = 0
        self._pass_mark = float(given.get("pass_mark", 1.0))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        while self._position < self._length:
            if not self._queue:
                drawn = self._feed.draw()
                self._steps.update({name: step for step, name in drawn})
                self._queue = [self._rows[name] for _, name in drawn]
            self._position += 1
            yield self._queue.pop(0)
        self._position, self._queue = 0, []

    def update(self, batch: Any) -> None:
        """Learn from a judged batch (verl's DataProto): a completion's score is its tokens' sum."""
        scores = batch.batch["token_level_scores"].sum(-1).tolist()
        about = batch.non_tensor_batch
        names = [
            problem_id(source, extra)
            for source, extra in zip(about["data_source"], about["extra_info"], strict=True)
        ]
        passed = [None if score != score else score >= self._pass_mark for score in scores]
        self._feed.observe([self._steps.get(name, 0) for name in names], names, passed)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, the curriculum included."""
        return {**self._feed.state_dict(), "position": self._position, "steps": dict(self._steps)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        self._feed.load_state_dict(state)
        self._position, self._steps, self._queue = state["position"], dict(state["steps"]), []
