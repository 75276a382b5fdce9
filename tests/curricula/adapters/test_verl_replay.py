"""A curriculum in verl's replay buffer, by stand-ins with its published signatures (verl 0.9)."""

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import chance

from curricula import SettingsError
from curricula.adapters.verl_replay import DrawnRows, SelectedGroups
from curricula.plain import pack, unpack

NUM_ROLLOUTS, NUM_GROUPS = 4, 8


class Frame(dict[str, list[Any]]):
    """As a datasets.Dataset."""

    @property
    def column_names(self) -> list[str]:
        return list(self)


class RLHFDataset:
    """As verl's: made of files, with a data frame."""

    def __init__(self, data_files: Any, tokenizer: Any, config: Any, processor: Any = None) -> None:
        self.dataframe = Frame(
            data_source=["math"] * 60,
            ability=[f"c{i % 6}" for i in range(60)],
            extra_info=[{"index": i} for i in range(60)],
        )

    def __len__(self) -> int:
        return 60

    def __getitem__(self, item: int) -> dict[str, Any]:
        return {name: column[item] for name, column in self.dataframe.items()}


class CurriculumDataset(DrawnRows, RLHFDataset):
    """As the adapter makes it of verl's."""


class ReplayBuffer:
    """The part of verl's buffer that mirrors its store, without the waiting."""

    def __init__(
        self,
        trainer_mode: str,
        trainer_config: Any,
        max_off_policy_threshold: int | None,
        max_off_policy_strategy: str,
        sampler_kwargs: Any,
        poll_interval: float = 2.0,
        refill_fn: Any = None,
    ) -> None:
        self.refill_fn = refill_fn
        self.num_polls = 0

    def _sync_metadata_from_transfer_queue(self) -> None:
        store = STORE["train"]
        status = {key: tag["status"] for key, tag in store.items() if "status" in tag}
        for name in ("pending", "running", "finished", "failure"):
            keys = {key for key, value in status.items() if value == name}
            setattr(self, f"{name}_keys", {"train": keys})
        self.partitions = {"train": {key: {} for key in store if key not in status}}

    def _wait_for_next_poll(self, partition_id: str, last_debug_time: float) -> float:
        self.num_polls += 1
        for key in list(STORE["train"]):
            if STORE["train"][key].get("status") == "running":
                finish(key)
                break
        return last_debug_time + 1

    def _clear_groups(self, partition_id: str, uids: set[str]) -> None:
        for key in [key for key in STORE["train"] if key.split("_")[0] in uids]:
            del STORE["train"][key]
        self._sync_metadata_from_transfer_queue()

    def _materialize_batch(
        self, partition_id: str, selected_prompt_uids: list[str], partition_snapshot: Any
    ) -> list[str]:
        chosen = [key for key in partition_snapshot if key.split("_")[0] in selected_prompt_uids]
        for uid in selected_prompt_uids:
            del STORE["train"][uid]
        return chosen

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> Any:
        return "a batch to validate with", {}


class CurriculumReplayBuffer(SelectedGroups, ReplayBuffer):
    """As the adapter makes it of verl's."""


STORE: dict[str, dict[str, dict[str, Any]]] = {"train": {}}


def finish(uid: str) -> None:
    """What the agent loops leave behind; those of one problem in 15 fail altogether."""
    tag = STORE["train"][uid]
    row = tag["row"]
    index = row["extra_info"]["index"]
    tag["status"] = "failure" if index % 15 == 7 else "finished"
    if index % 15 == 7:
        return
    num = NUM_ROLLOUTS - (index % 15 == 8)  # one session of these is lost
    for session in range(num):
        passed = (session * 0.37 + index * 0.11 + tag["step"] * 0.3) % 1 < chance(f"p{index}")
        for output in range(2):
            STORE["train"][f"{uid}_{session}_{output}"] = {
                "rm_scores": np.array([0.0, float(passed)]),
                "problem_id": SimpleNamespace(data=row["problem_id"]),
            }


@pytest.fixture(autouse=True)
def transfer_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one call of verl's store that the adapter makes."""

    def kv_batch_get(keys: list[str], partition_id: str, select_fields: list[str]) -> Any:
        rows = [STORE[partition_id][key] for key in keys]
        return {field: [row[field] for row in rows] for field in select_fields}

    module = ModuleType("transfer_queue")
    module.kv_batch_get = kv_batch_get  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transfer_queue", module)
    STORE["train"].clear()


class Config(dict[str, Any]):
    """As OmegaConf's: keys are attributes as well."""

    __getattr__ = dict.__getitem__


class Trainer:
    """The part of verl's synchronous trainer that asks for rows and for batches."""

    def __init__(self, mode: str = "sync", **data: Any) -> None:
        files = {"train_files": ["train.parquet"], "val_files": "val.parquet"}
        curriculum = {"kind": "rlcs", "group_size": NUM_ROLLOUTS, "settings": {"sharpness": 2.0}}
        settings = {**files, "train_batch_size": NUM_GROUPS, "curriculum": curriculum, **data}
        data_config = Config(settings)
        rollout = SimpleNamespace(n=NUM_ROLLOUTS)
        self.config = SimpleNamespace(actor_rollout_ref=SimpleNamespace(rollout=rollout))
        self.train_dataset: Any = CurriculumDataset(
            data_files=["train.parquet"], tokenizer=None, processor=None, config=data_config
        )
        self.val_dataset: Any = CurriculumDataset(
            data_files="val.parquet", tokenizer=None, processor=None, config=data_config
        )
        self.replay_buffer = CurriculumReplayBuffer(
            trainer_mode=mode,
            trainer_config={},
            max_off_policy_threshold=8,
            max_off_policy_strategy="drop",
            sampler_kwargs={"pass_mark": 0.5},
            refill_fn=self._add_prompts_to_generate,
        )
        self.num_submitted = 0
        self.step = 0

    def _add_prompts_to_generate(self, num_prompts: int) -> int:
        for _ in range(num_prompts):
            row = self.train_dataset[0]
            tag = {"status": "running", "row": row, "step": self.step}
            STORE["train"][f"uid-{self.num_submitted}"] = tag
            self.num_submitted += 1
        return num_prompts

    def train_step(self) -> tuple[list[str], dict[str, Any]]:
        """The problems trained on, one a session output, and the metrics."""
        self._add_prompts_to_generate(NUM_GROUPS)
        keys, metrics = self.replay_buffer.sample(
            global_steps=self.step, partition_id="train", batch_size=NUM_GROUPS
        )
        names = [STORE["train"].pop(key)["problem_id"].data for key in keys]
        assert not STORE["train"], "what is not trained on is cleared"
        self.step += 1
        return names, metrics


@pytest.mark.parametrize("kind", ["rlcs", "dapo"])
def test_verl_trains_on_selected_groups_and_resumes(kind: str) -> None:
    given = {"kind": kind, "group_size": NUM_ROLLOUTS}
    whole = Trainer(curriculum=given)
    for _ in range(3):
        whole.train_step()
    state = unpack(pack(whole.train_dataset.state_dict()))
    rest = [whole.train_step() for _ in range(3)]
    resumed = Trainer(curriculum=given)
    resumed.train_dataset.load_state_dict(state)
    resumed.step = 3
    assert [resumed.train_step() for _ in range(3)] == rest
    for names, _ in rest:
        assert len(set(names)) == NUM_GROUPS
        assert len(names) > NUM_GROUPS * (NUM_ROLLOUTS - 1) * 2
    metrics = rest[-1][1]
    assert metrics["curriculum/num_observed"] == whole.num_submitted > 6 * NUM_GROUPS
    assert metrics["curriculum/num_undrawn_results"] == 0
    assert metrics["curriculum/num_errored"] > 0
    assert whole.replay_buffer.num_polls == whole.num_submitted


def test_validation_is_left_alone() -> None:
    trainer = Trainer()
    assert trainer.val_dataset[7]["extra_info"] == {"index": 7}
    assert trainer.val_dataset.state_dict() == {}
    assert trainer.replay_buffer.sample(0, "val", 3) == ("a batch to validate with", {})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match="trainer_mode=sync, found 'colocate_async'"):
        Trainer(mode="colocate_async")
    with pytest.raises(SettingsError, match="found the same"):
        Trainer(val_files="train.parquet")
    trainer = Trainer()
    with pytest.raises(SettingsError, match="whole batches of 8 groups to be sampled, found 4"):
        trainer.replay_buffer.sample(0, "train", 4)
    trainer.train_dataset = trainer.val_dataset
    with pytest.raises(SettingsError, match="custom_cls"):
        trainer.replay_buffer.sample(0, "train", 8)


def test_other_names_are_not_in_the_module() -> None:
    import curricula.adapters.verl_replay as adapter

    with pytest.raises(AttributeError, match="no attribute 'Curriculum'"):
        adapter.Curriculum  # noqa: B018
    if find_spec("verl") is None:
        with pytest.raises(ModuleNotFoundError, match="verl"):
            adapter.CurriculumReplayBuffer  # noqa: B018
