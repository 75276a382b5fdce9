"""TRL's GRPOTrainer over a curriculum that chooses the problems and selects the groups.

    trainer = CurriculumGRPOTrainer(
        model,
        reward_funcs=reward,
        train_dataset=rows,                 # with a column problem_id
        args=GRPOConfig(..., max_steps=1000),
        curriculum=make_curriculum("rlcs", problems, group_size=num_generations, seed=0),
        pass_mark=1.0,
    )

Every generation batch rolls out as many groups as the curriculum wants, again where it refills,
and trains on the best of them: generation_batch_size / num_generations groups. Problems are drawn
when they are rolled out, from all that is known by then; the trainer's own loader only counts. The
callback of `trl_callback` chooses as well, but trains on all it rolls out, and draws a batch ahead.

What costs more than with TRL alone: log-probabilities, where TRL takes them of a generation batch
(`num_iterations` above 1, `beta` above 0), are taken of surplus groups as well. With several
processes the rolled-out tensors are gathered, so that each gets its share of the selected groups.
"""

from collections.abc import Iterable
from typing import Any, cast

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.utils import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

from curricula.adapters.rounds import Rounds
from curricula.adapters.trl_callback import SavedCurriculum, rows_of
from curricula.curriculum import SamplingCurriculum
from curricula.errors import SettingsError

Row = dict[str, Any]
"""One completion: of each of TRL's batched values what belongs to it."""

_LEFT = ("prompt_ids", "prompt_mask")
_RIGHT = (
    *("completion_ids", "completion_mask", "tool_mask", "old_per_token_logps"),
    *("ref_per_token_logps", "sampling_per_token_logps", "importance_sampling_ratio"),
)
_BOTH = ("token_type_ids", "mm_token_type_ids")
"""What is padded where: along the prompt, along the completion, along both in one tensor."""


class CurriculumGRPOTrainer(GRPOTrainer):
    """A GRPOTrainer whose groups a curriculum draws and selects; see the module's docstring.

    A completion passes whose rewards, weighted and summed as TRL does, are at least `pass_mark`;
    where no reward function returned a reward it counts as our failure. SettingsError when the
    data set has no problem ids or is streamed, and when a group cannot be split between processes.
    """

    def __init__(
        self, *args: Any, curriculum: SamplingCurriculum, pass_mark: float = 1.0, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        rows: Any = self.train_dataset
        if not isinstance(rows, Dataset):
            raise SettingsError(
                "expected a data set whose rows can be looked up, found a "
                f"{type(rows).__name__}; the curriculum chooses the rows"
            )
        size, settings = int(self.num_generations or 0), cast(GRPOConfig, self.args)
        if size % self.accelerator.num_processes:
            raise SettingsError(
                "expected num_generations to be a multiple of the number of processes, because "
                f"any number of groups is rolled out; found {size} for "
                f"{self.accelerator.num_processes} processes"
            )
        self._problems, self._row_of = rows, rows_of(rows)
        self._size = size
        self._rounds = Rounds(curriculum, int(settings.generation_batch_size or 0) // size)
        self._pass_mark = pass_mark
        self._verdicts: list[bool | None] = []
        self.add_callback(SavedCurriculum(curriculum, self._rounds))

    def _generate_and_score_completions(self, inputs: list[Row]) -> Row:
        if not cast(torch.nn.Module, self.model).training:
            return dict(super()._generate_and_score_completions(inputs))
        groups: dict[str, list[Row]] = {}
        lists: set[str] = set()
        while drawn := self._rounds.draw():
            names = [name for name in drawn for _ in range(self._size)]
            batch = super()._generate_and_score_completions(self._own_share(self._inputs(names)))
            batch = split_pixel_values_by_grid(batch)
            lists |= {key for key, value in batch.items() if isinstance(value, list)}
            for name, row in zip(names, self._everyones(rows_of_batch(batch)), strict=True):
                groups.setdefault(name, []).append(row)
            self._rounds.observe(names, self._verdicts)
        chosen = [row for name in self._rounds.close() for row in groups[name]]
        loss_masks = (row["completion_mask"] * row.get("tool_mask", 1) for row in chosen)
        num_items = sum(int(mask.sum()) for mask in loss_masks)
        batch = batch_of_rows(
            self._own_share(chosen), lists, pad_token=self._tokenizer.pad_token_id
        )
        batch = {key: self._here(value) for key, value in batch.items()}
        batch["num_items_in_batch"] = torch.tensor(num_items, device=self.accelerator.device)
        return dict(unsplit_pixel_values_by_grid(batch))

    def _calculate_rewards(self, *args: Any, **columns: Any) -> torch.Tensor:
        """Return what TRL does, [completions of all processes, functions], and judge by it."""
        rewards: torch.Tensor = super()._calculate_rewards(*args, **columns)
        totals = (rewards * self.reward_weights.to(rewards.device)).nansum(dim=1).tolist()
        unjudged = rewards.isnan().all(dim=1).tolist()
        self._verdicts = [
            None if unknown else total >= self._pass_mark
            for total, unknown in zip(totals, unjudged, strict=True)
        ]
        return rewards

    def _inputs(self, names: Iterable[str]) -> list[Row]:
        return [self._problems[self._row_of[name]] for name in names]

    def _own_share(self, rows: list[Row]) -> list[Row]:
        """This process's part of what all processes have; they have as many each."""
        size = len(rows) // self.accelerator.num_processes
        return rows[self.accelerator.process_index * size :][:size]

    def _everyones(self, rows: list[Row]) -> list[Row]:
        """The rows of all processes, in the order of the processes."""
        if self.accelerator.num_processes == 1:
            return rows
        off_device = [
            {key: value.cpu() if torch.is_tensor(value) else value for key, value in row.items()}
            for row in rows
        ]
        return list(gather_object(off_device))

    def _here(self, value: Any) -> Any:
        if torch.is_tensor(value):
            return value.to(self.accelerator.device)
        if isinstance(value, list) and value and torch.is_tensor(value[0]):
            return [each.to(self.accelerator.device) for each in value]
        return value


def rows_of_batch(batch: Row) -> list[Row]:
    """Return a batch of TRL's as rows; numbers of the whole batch are left out."""
    columns = {
        key: value
        for key, value in batch.items()
        if isinstance(value, list) or (torch.is_tensor(value) and value.ndim)
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def batch_of_rows(rows: list[Row], lists: set[str], *, pad_token: int) -> Row:
    """Return rows of any batches as one, padded alike; `lists` are the keys that stay lists."""
    width = {key: max(len(row[key]) for row in rows) for key in ("prompt_ids", "completion_ids")}
    batch: Row = {}
    for key in rows[0]:
        values = [row[key] for row in rows]
        if key in lists:
            batch[key] = values
            continue
        # A ratio may be one for the whole completion.
        if key in (*_LEFT, *_RIGHT, *_BOTH) and any(len(value) > 1 for value in values):
            fill = pad_token if key in ("prompt_ids", "completion_ids") else int(key == "tool_mask")
            values = [
                torch.nn.functional.pad(
                    value,
                    (
                        0 if key in _RIGHT else width["prompt_ids"] - len(row["prompt_ids"]),
                        0 if key in _LEFT else width["completion_ids"] - len(row["completion_ids"]),
                    ),
                    value=fill,
                )
                for row, value in zip(rows, values, strict=True)
            ]
        batch[key] = torch.stack(values)
    return batch
