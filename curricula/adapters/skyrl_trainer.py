"""SkyRL's RayPPOTrainer over a curriculum that chooses the problems and selects the groups.

    class Trainer(CurriculumTraining, RayPPOTrainer):
        pass

    class Experiment(BasePPOExp):
        def get_trainer(self, **parts):
            return Trainer(**parts, curriculum=make_curriculum(...), pass_mark=1.0)

with `trainer.algorithm.dynamic_sampling.type=filter`, by which SkyRL asks its trainer which groups
to keep and whether to generate more (its `handle_dynamic_sampling`; seen in SkyRL 0.3). Every step
rolls out as many groups as the curriculum wants and trains on `trainer.train_batch_size` of them.
The rows of the data set have a column problem_id. SkyRL rolls out only so many problems as its
data-parallel ranks can share evenly: take n_samples_per_prompt a multiple of these. The state is
saved with SkyRL's data loader's. Nothing of SkyRL is imported here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from curricula.adapters.feeding import rows_by_id
from curricula.adapters.rounds import Rounds
from curricula.curriculum import SamplingCurriculum
from curricula.errors import SettingsError

_Mixed: Any = object
"""The base of what is mixed into SkyRL's trainer, of whose attributes it makes use."""


class RoundLoader:
    """In place of SkyRL's data loader: the problems to roll out next, round by round.

    An epoch has as many steps as the data set has whole batches, though not every row once.
    """

    def __init__(self, rounds: Rounds, dataset: Any) -> None:
        names = [str(name) for name in dataset.dataframe["problem_id"]]
        self._rounds = rounds
        self._dataset = dataset
        self.names = names
        self.rows = rows_by_id(names)

    def __len__(self) -> int:
        return max(1, len(self.names) // self._rounds.num_groups)

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        while True:
            begun = self._rounds.step
            rows = [self._dataset[self.rows[name]] for name in self._rounds.draw()]
            yield self._dataset.collate_fn(rows)
            if self._rounds.step > begun and self._rounds.step % len(self) == 0:
                return

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, the curriculum included; SkyRL saves it."""
        return self._rounds.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        self._rounds.load_state_dict(state)


class CurriculumTraining(_Mixed):  # type: ignore[misc]
    """What a trainer of SkyRL's does otherwise; name it before RayPPOTrainer among the bases.

    A trajectory passes whose reward (of all its tokens together) is at least `pass_mark`; one
    whose reward is NaN could not be judged. SettingsError when dynamic sampling is off.
    """

    def __init__(
        self, *args: Any, curriculum: SamplingCurriculum, pass_mark: float = 1.0, **parts: Any
    ) -> None:
        self._curriculum = curriculum
        self._pass_mark = pass_mark
        self._rolled_out: list[tuple[dict[str, Any], list[str]]] = []
        super().__init__(*args, **parts)

    def _build_train_dataloader_and_compute_training_steps(self) -> None:
        """Take the place of SkyRL's loader, and count the steps as SkyRL does."""
        settings = self.cfg.trainer
        if settings.algorithm.dynamic_sampling.type is None:
            raise SettingsError(
                "expected trainer.algorithm.dynamic_sampling.type=filter, found none: SkyRL then "
                "trains on all it rolls out and asks nobody"
            )
        self._rounds = Rounds(self._curriculum, settings.train_batch_size)
        loader = RoundLoader(self._rounds, self.train_dataset)
        self.train_dataloader = loader
        self.total_training_steps = len(loader) * settings.epochs
        if settings.max_training_steps is not None:
            self.total_training_steps = min(self.total_training_steps, settings.max_training_steps)

    def handle_dynamic_sampling(
        self, generator_output: dict[str, Any], uids: list[str]
    ) -> tuple[dict[str, Any], list[str], bool]:
        """Observe what was rolled out; return the groups to train on, or ask for more."""
        names = self.train_dataloader.names
        last = generator_output.get("is_last_step") or [True] * len(uids)
        judged = [
            (names[int(uid)], self._passed(reward))
            for uid, reward, is_last in zip(uids, generator_output["rewards"], last, strict=True)
            if is_last
        ]
        self._rounds.observe([name for name, _ in judged], [passed for _, passed in judged])
        self._rolled_out.append((generator_output, uids))
        if self._rounds.wants_more():
            return generator_output, uids, True
        rolled_out, self._rolled_out = self._rolled_out, []
        # SkyRL's uid of a problem is its row.
        kept = {str(self.train_dataloader.rows[name]) for name in self._rounds.close()}
        left = [uid for _, each in rolled_out for uid in each if uid in kept]
        return _of(rolled_out, kept), left, False

    def _passed(self, reward: float | Sequence[float]) -> bool | None:
        total = sum(reward) if isinstance(reward, Sequence) else reward
        return None if total != total else total >= self._pass_mark


def _of(rolled_out: list[tuple[dict[str, Any], list[str]]], kept: set[str]) -> dict[str, Any]:
    """The rows of SkyRL's outputs whose uids are kept, as one output."""
    joined: dict[str, Any] = dict(rolled_out[-1][0])
    for key, value in joined.items():
        if isinstance(value, list) and len(value) == len(rolled_out[-1][1]):
            joined[key] = [
                row
                for output, uids in rolled_out
                for row, uid in zip(output[key], uids, strict=True)
                if uid in kept
            ]
    return joined
