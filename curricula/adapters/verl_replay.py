"""verl's synchronous trainer over a curriculum that chooses the problems and selects the groups.

    data.custom_cls.path=pkg://curricula.adapters.verl_replay
    data.custom_cls.name=CurriculumDataset
    data.shuffle=False data.dataloader_num_workers=0 data.gen_batch_size=1
    +data.curriculum.kind=rlcs +data.curriculum.settings.sharpness=2
    trainer.v1.sampler.custom_sampler.path=pkg://curricula.adapters.verl_replay
    trainer.v1.sampler.custom_sampler.name=CurriculumReplayBuffer
    +trainer.v1.sampler.sampler_kwargs.pass_mark=1.0

For verl whose agent loops write trajectories into a replay buffer that the trainer samples from
(seen in verl 0.9, `trainer.v1.trainer_mode=sync`). The data set hands out the drawn rows whatever
row is asked for; the buffer has the trainer submit the rest of each draw, waits for its groups,
observes them, and gives the trainer `data.train_batch_size` of them; the others are cleared. Rows
are told from others as `verl_sampler` does, which is for verl 0.5 and 0.6. The state is saved with
verl's data loader's. verl is imported when one of the two classes is asked for.
"""

from typing import Any

from curricula.adapters.feeding import rows_by_id
from curricula.adapters.rounds import Rounds
from curricula.adapters.verl_rows import ids_of, problem_id, problems_of, settings_of
from curricula.errors import SettingsError
from curricula.factory import make_curriculum

_ID_FIELD = "problem_id"
_Mixed: Any = object
"""The base of what is mixed into verl's classes, of whose attributes it makes use."""


class DrawnRows(_Mixed):  # type: ignore[misc]
    """What a data set of verl's does otherwise; name it before RLHFDataset among the bases.

    The data set that is made of `data.train_files` draws; any other (for validation) does not.
    """

    def __init__(self, *args: Any, data_files: Any, config: Any, **options: Any) -> None:
        super().__init__(*args, data_files=data_files, config=config, **options)
        self.rounds: Rounds | None = None
        self._queue: list[int] = []
        if _listed(data_files) != _listed(config.train_files):
            return
        if _listed(config.get("val_files")) == _listed(data_files):
            raise SettingsError(
                "expected other files in data.val_files than in data.train_files, found the same: "
                "the data set that draws is told from the other by them"
            )
        given = config.get("curriculum") or {}
        curriculum = make_curriculum(
            given.get("kind", "rlcs"),
            problems_of(self.dataframe),
            group_size=given.get("group_size", 8),
            seed=config.get("seed") or 0,
            **settings_of(given),
        )
        self.rounds = Rounds(curriculum, config.train_batch_size)
        self._rows = rows_by_id(ids_of(self.dataframe))

    def __getitem__(self, row: int) -> dict[str, Any]:
        """Return the next drawn row; of a data set for validation, row `row`."""
        if self.rounds is None:
            return dict(super().__getitem__(row))
        if not self._queue:
            self._queue = [self._rows[name] for name in self.rounds.draw()]
        item: dict[str, Any] = super().__getitem__(self._queue.pop(0))
        return {**item, _ID_FIELD: problem_id(item["data_source"], item["extra_info"])}

    @property
    def num_left(self) -> int:
        """How many rows of the running draw have not been handed out."""
        return len(self._queue)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on, the curriculum included; verl's loader saves it."""
        return {} if self.rounds is None else self.rounds.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict()` returned; StateError when it is of other problems."""
        if self.rounds is not None:
            self.rounds.load_state_dict(state)
            self._queue = []


class SelectedGroups(_Mixed):  # type: ignore[misc]
    """What a replay buffer of verl's does otherwise; name it before ReplayBuffer in the bases.

    A trajectory passes whose score is at least `pass_mark` (of `sampler_kwargs`, 1 without); one
    that its agent loop failed at could not be judged. SettingsError in an asynchronous trainer,
    whose groups are sampled as they come.
    """

    def __init__(self, **parts: Any) -> None:
        if parts["trainer_mode"] != "sync":
            raise SettingsError(
                f"expected trainer.v1.trainer_mode=sync, found {parts['trainer_mode']!r}: only "
                "there all groups of a step are known before it trains"
            )
        super().__init__(**parts)
        self._pass_mark = float((parts["sampler_kwargs"] or {}).get("pass_mark", 1.0))
        # Whatever asks for more prompts is the trainer, which has the data set.
        self._trainer: Any = getattr(parts["refill_fn"], "__self__", None)

    def sample(
        self, global_steps: int, partition_id: str, batch_size: int
    ) -> tuple[Any, dict[str, Any]]:
        """Return the selected groups, as verl does, and the curriculum's metrics."""
        if partition_id != "train":
            found: tuple[Any, dict[str, Any]]
            found = super().sample(global_steps, partition_id, batch_size)
            return found
        rows = self._rows()
        rounds: Rounds = rows.rounds
        if batch_size != rounds.num_groups:
            raise SettingsError(
                f"expected whole batches of {rounds.num_groups} groups to be sampled, found "
                f"{batch_size}; do not split them by parameter_sync_step"
            )
        uids: dict[str, str] = {}
        num = int(self._trainer.config.actor_rollout_ref.rollout.n)
        while True:
            if rows.num_left:
                self.refill_fn(rows.num_left)
            self._wait(partition_id)
            names, passed = self._judged(partition_id, uids, num)
            rounds.observe(names, passed, missing=num)
            if not rounds.wants_more():
                break
            self.refill_fn(1)
        chosen = [uids[name] for name in rounds.close() if name in uids]
        every = self.finished_keys[partition_id] | self.failure_keys[partition_id]
        self._clear_groups(partition_id, every - set(chosen))
        snapshot = dict(self.partitions[partition_id])
        batch = self._materialize_batch(partition_id, chosen, snapshot)
        numbers = rounds.curriculum.metrics()
        return batch, {f"curriculum/{name}": value for name, value in numbers.items()}

    def _rows(self) -> Any:
        rows = getattr(self._trainer, "train_dataset", None)
        if getattr(rows, "rounds", None) is None:
            raise SettingsError(
                "expected the trainer's data set to draw, found "
                f"{type(rows).__name__}; set data.custom_cls.name=CurriculumDataset"
            )
        return rows

    def _wait(self, partition_id: str) -> None:
        """Wait until every submitted problem is finished or has failed."""
        asked = 0.0
        self._sync_metadata_from_transfer_queue()
        while self.pending_keys[partition_id] or self.running_keys[partition_id]:
            asked = self._wait_for_next_poll(partition_id, asked)
            self._sync_metadata_from_transfer_queue()

    def _judged(
        self, partition_id: str, uids: dict[str, str], num: int
    ) -> tuple[list[str], list[bool | None]]:
        """The trajectories of groups not in `uids` yet, which these are added to."""
        import transfer_queue

        known = set(uids.values())
        # A session may have several outputs, which all have its score; a key is uid_session_index.
        sessions = {key.rsplit("_", 1)[0]: key for key in self.partitions[partition_id]}
        keys = [key for session, key in sessions.items() if session.rsplit("_", 1)[0] not in known]
        if not keys:
            return [], []
        data = transfer_queue.kv_batch_get(
            keys=keys, partition_id=partition_id, select_fields=["rm_scores", _ID_FIELD]
        )
        names = [str(getattr(name, "data", name)) for name in data[_ID_FIELD]]
        scores = [float(score.sum()) for score in data["rm_scores"]]
        uids.update(zip(names, (key.split("_")[0] for key in keys), strict=True))
        passed: list[bool | None] = [
            None if score != score else score >= self._pass_mark for score in scores
        ]
        for name in set(names):
            lost = num - names.count(name)
            names += [name] * lost
            passed += [None] * lost
        return names, passed


def _listed(files: Any) -> list[str]:
    if files is None:
        return []
    return [str(files)] if isinstance(files, str) else [str(file) for file in files]


def __getattr__(name: str) -> Any:
    """Make the classes that verl asks for by name, from verl's own."""
    if name == "CurriculumDataset":
        from verl.utils.dataset.rl_dataset import RLHFDataset

        return type(name, (DrawnRows, RLHFDataset), {"__doc__": DrawnRows.__doc__})
    if name == "CurriculumReplayBuffer":
        from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

        return type(name, (SelectedGroups, ReplayBuffer), {"__doc__": SelectedGroups.__doc__})
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
