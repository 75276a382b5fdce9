"""A curriculum in SkyRL, by a stand-in with its published signatures (SkyRL 0.3)."""

from types import SimpleNamespace
from typing import Any

import pytest
from worlds import IDS, chance, problems

from curricula import SettingsError, make_curriculum
from curricula.adapters.skyrl_trainer import CurriculumTraining
from curricula.plain import pack, unpack

NUM_SAMPLES = 4


class Prompts:
    """As SkyRL's PromptDataset: rows as tuples, with their row as uid."""

    def __init__(self) -> None:
        self.dataframe = {"problem_id": IDS}

    def __len__(self) -> int:
        return len(IDS)

    def __getitem__(self, row: int) -> tuple[str, None, dict[str, Any], str]:
        return f"{IDS[row]}?", None, {"problem_id": IDS[row]}, str(row)

    def collate_fn(self, items: list[Any]) -> list[dict[str, Any]]:
        keys = ("prompt", "env_class", "env_extras", "uid")
        return [dict(zip(keys, item, strict=True)) for item in items]


class RayPPOTrainer:
    """The part of SkyRL's trainer that asks for prompts, and what to keep of what they gave."""

    def __init__(self, cfg: Any, train_dataset: Any, *, token_rewards: bool = False) -> None:
        self.cfg, self.train_dataset = cfg, train_dataset
        self.train_dataloader: Any = None
        self.total_training_steps: int | None = None
        self.token_rewards = token_rewards
        self.trained: list[list[str]] = []
        self._build_train_dataloader_and_compute_training_steps()

    def _build_train_dataloader_and_compute_training_steps(self) -> None:
        raise NotImplementedError

    def handle_dynamic_sampling(self, generator_output: Any, uids: list[str]) -> Any:
        raise NotImplementedError

    def train(self, num_steps: int) -> None:
        while True:
            for prompts in self.train_dataloader:
                uids = [prompt["uid"] for prompt in prompts for _ in range(NUM_SAMPLES)]
                output, uids, keep_sampling = self.handle_dynamic_sampling(
                    self.generate(uids), uids
                )
                if keep_sampling:
                    continue
                assert len(output["rewards"]) == len(output["response_ids"]) == len(uids)
                assert output["response_ids"] == [[int(uid)] for uid in uids]
                assert output["rollout_logprobs"] is None
                self.trained.append(uids)
                if len(self.trained) == num_steps:
                    return

    def generate(self, uids: list[str]) -> dict[str, Any]:
        count = len(self.trained)
        passed = [
            float((i * 0.37 + count * 0.11) % 1 < chance(f"p{uid}")) for i, uid in enumerate(uids)
        ]
        return {
            "response_ids": [[int(uid)] for uid in uids],
            "rewards": [[0.0, each] for each in passed] if self.token_rewards else passed,
            "rollout_logprobs": None,
        }


class Trainer(CurriculumTraining, RayPPOTrainer):
    """As a user writes it."""


def trainer(sampling: str | None = "filter", kind: str = "rlcs", **settings: Any) -> Trainer:
    algorithm = SimpleNamespace(dynamic_sampling=SimpleNamespace(type=sampling))
    trainer_settings = SimpleNamespace(
        algorithm=algorithm, train_batch_size=8, epochs=3, max_training_steps=40
    )
    curriculum = make_curriculum(kind, problems(120), group_size=NUM_SAMPLES, seed=0)
    return Trainer(
        SimpleNamespace(trainer=trainer_settings), Prompts(), curriculum=curriculum, **settings
    )


@pytest.mark.parametrize("kind", ["rlcs", "dapo"])
def test_skyrl_trains_on_selected_groups_and_resumes(kind: str) -> None:
    whole = trainer(kind=kind)
    assert (len(whole.train_dataloader), whole.total_training_steps) == (15, 40)
    whole.train(3)
    state = unpack(pack(whole.train_dataloader.state_dict()))
    whole.train(6)
    resumed = trainer(kind=kind)
    resumed.train_dataloader.load_state_dict(state)
    resumed.trained = whole.trained[:3]
    resumed.train(6)
    assert resumed.trained == whole.trained
    assert all(len(uids) == 8 * NUM_SAMPLES for uids in whole.trained)
    counts = whole._curriculum.metrics()
    assert counts["num_observed"] > 6 * 8
    assert counts["num_undrawn_results"] == counts["num_unanswered_draws"] == 0


def test_an_epoch_ends_with_a_step() -> None:
    one = trainer()
    steps = 0
    for prompts in one.train_dataloader:
        uids = [prompt["uid"] for prompt in prompts for _ in range(NUM_SAMPLES)]
        one.trained.append(one.handle_dynamic_sampling(one.generate(uids), uids)[1])
        steps += 1
    assert steps == 15


def test_rewards_of_tokens_are_summed_and_nan_is_not_judged() -> None:
    one = trainer(token_rewards=True, pass_mark=0.5)
    one.train(2)
    assert one._curriculum.metrics()["num_fate_trained"] > 0
    uids = [p["uid"] for p in next(iter(one.train_dataloader)) for _ in range(NUM_SAMPLES)]
    errored = one._curriculum.metrics()["num_errored"]
    one.handle_dynamic_sampling({"rewards": [float("nan")] * len(uids)}, uids)
    assert one._curriculum.metrics()["num_errored"] == errored + len(uids) / NUM_SAMPLES


def test_skyrl_has_to_ask() -> None:
    with pytest.raises(SettingsError, match=r"dynamic_sampling\.type=filter"):
        trainer(sampling=None)
