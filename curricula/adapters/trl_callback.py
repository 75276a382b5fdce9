"""A curriculum in TRL's GRPOTrainer: a data set that is drawn, and a callback that saves it.

    lessons = CurriculumCallback(curriculum, rows, num_groups=prompts a generation batch)
    trainer = GRPOTrainer(
        model,
        reward_funcs=lessons.watch(reward, pass_mark=1.0),
        train_dataset=lessons.dataset(),
        args=GRPOConfig(..., max_steps=1000, shuffle_dataset=False, ignore_data_skip=True),
        callbacks=[lessons],
    )

TRL trains on every group it rolls out, so the curriculum must not expand (`initial_expansion=1,
expansion_cap=1`). Its loader fetches one batch ahead, which is then drawn before the results of the
batch before it are known. With several processes every one of them draws the same, because the
verdicts are gathered before they are observed.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from datasets import Dataset, IterableDataset
from transformers import TrainerCallback

from curricula.adapters.feeding import Feed, rows_by_id
from curricula.adapters.rounds import Rounds
from curricula.curriculum import SamplingCurriculum
from curricula.errors import SettingsError, StateError
from curricula.plain import pack, unpack

STATE_NAME = "curriculum.npz"
"""As `curricula.plain` writes it: reading it runs no code, whoever wrote it."""
STEP_COLUMN = "curriculum_step"


class SavedCurriculum(TrainerCallback):
    """Logs a curriculum's metrics, and saves it beside the model and loads it from there.

    `keeper` is what draws from the curriculum: its state is the one that is kept.
    """

    def __init__(self, curriculum: SamplingCurriculum, keeper: Feed | Rounds) -> None:
        self._curriculum = curriculum
        self._keeper = keeper

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
        """Add the curriculum's metrics to what is reported."""
        if logs is not None:
            numbers = self._curriculum.metrics()
            logs.update({f"curriculum/{name}": value for name, value in numbers.items()})

    def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Save the curriculum beside the model."""
        if state.is_world_process_zero:
            path = _state_path(args, state)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pack(self._keeper.state_dict()))

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Load what was saved beside the model, when a run is resumed."""
        if not state.global_step:
            return
        path = _state_path(args, state)
        if not path.exists():
            raise StateError(f"expected the curriculum's state at {path}, found none")
        try:
            self._keeper.load_state_dict(unpack(path.read_bytes()))
        except StateError as error:
            raise StateError(f"{path}: {error}") from error


def rows_of(data: Dataset) -> dict[str, int]:
    """Return the row of each problem of a data set; SettingsError without a column problem_id."""
    if "problem_id" not in data.column_names:
        raise SettingsError(
            f"expected a column problem_id in the data set, found {data.column_names}"
        )
    return rows_by_id(data["problem_id"])


class CurriculumCallback(SavedCurriculum):
    """Gives TRL the drawn rows, learns from their rewards, and is saved with the model.

    `rows` has a column `problem_id`; `num_groups` is the number of prompts of a generation batch:
    generation_batch_size / num_generations. The module's docstring shows its use.
    """

    def __init__(self, curriculum: SamplingCurriculum, rows: Dataset, *, num_groups: int) -> None:
        self._data = rows
        self._rows = rows_of(rows)
        self._feed = Feed(curriculum, num_groups)
        super().__init__(curriculum, self._feed)

    def dataset(self) -> IterableDataset:
        """Return the rows in the order of their draws, without an end, for `train_dataset`."""
        return IterableDataset.from_generator(self._drawn)

    def _drawn(self) -> Iterator[dict[str, Any]]:
        while True:
            for step, name in self._feed.draw():
                yield {**self._data[self._rows[name]], STEP_COLUMN: step}

    def watch(self, reward: Callable[..., Any], *, pass_mark: float) -> Callable[..., Any]:
        """Return the same reward function, from which the curriculum learns what passed.

        A reward of at least `pass_mark` passes; None could not be judged.
        """

        @functools.wraps(reward)
        def watched(*args: Any, **columns: Any) -> Any:
            rewards = reward(*args, **columns)
            if STEP_COLUMN in columns:  # an evaluation's rows are not drawn
                passed = [None if each is None else bool(each >= pass_mark) for each in rewards]
                judged = zip(columns[STEP_COLUMN], columns["problem_id"], passed, strict=True)
                steps, names, verdicts = zip(*gather_object(list(judged)), strict=True)
                self._feed.observe(steps, names, verdicts)
            return rewards

        return watched

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Load what was saved beside the model, when a run is resumed."""
        if state.global_step and not args.ignore_data_skip:
            raise SettingsError(
                "expected ignore_data_skip=True on resuming, found False: the trainer would draw "
                "and throw away what was trained on before"
            )
        super().on_train_begin(args, state, control, **rest)


def _state_path(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE_NAME
