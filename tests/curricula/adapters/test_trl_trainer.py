"""A curriculum that chooses and selects in TRL's GRPOTrainer, with the real package."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
from worlds import IDS, problems

from curricula import SettingsError, make_curriculum

ROOT = Path(__file__).parents[3]


def reward(prompts: list[str], completions: list[str], **columns: Any) -> list[float | None]:
    """Every third problem always passes, the others by chance; one in ten cannot be judged."""
    return [
        None if i % 10 == 9 else float(int(name[1:]) % 3 == 0 or len(text) % 2)
        for i, (name, text) in enumerate(zip(columns["problem_id"], completions, strict=True))
    ]


@pytest.fixture(scope="module")
def parts() -> tuple[Any, Any]:
    pytest.importorskip("trl")
    tiny = SourceFileLoader("tiny", str(ROOT / "scripts" / "make_tiny_model")).load_module()
    tokenizer = tiny.make_tokenizer()
    return tokenizer, tiny.make_model(tokenizer, hidden=32, layers=1, seed=0)


def trainer(
    parts: Any, folder: Path, max_steps: int, kind: str = "rlcs", data: Any = None, **settings: Any
) -> Any:
    """A trainer that keeps in `seen` what it trains on: batches, and the problem of each row."""
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig

    from curricula.adapters.trl_trainer import CurriculumGRPOTrainer

    class Recorded(CurriculumGRPOTrainer):
        def _generate_and_score_completions(self, inputs: Any) -> Any:
            batch = super()._generate_and_score_completions(inputs)
            texts = parts[0].batch_decode(batch["prompt_ids"], skip_special_tokens=True)
            self.__dict__.setdefault("seen", []).append((batch, [t.split()[0] for t in texts]))
            return batch

    curriculum = make_curriculum(kind, problems(120), group_size=4, seed=0, **settings)
    config = GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=8,
        steps_per_generation=2,
        num_generations=4,
        max_completion_length=6,
        max_steps=max_steps,
        save_steps=2,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
    )
    rows = [
        {"problem_id": name, "prompt": f"{name} " + "= " * (i % 5)} for i, name in enumerate(IDS)
    ]
    return Recorded(
        parts[1],
        reward_funcs=reward,
        train_dataset=Dataset.from_list(rows) if data is None else data,
        args=config,
        processing_class=parts[0],
        curriculum=curriculum,
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("dapo", {"max_draws": 3}),  # batches of several draws, padded alike
        pytest.param("rlcs", {}, marks=pytest.mark.stress),
    ],
)
def test_trl_trains_on_selected_groups_and_resumes(
    parts: Any, tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    first = trainer(parts, tmp_path, 2, kind, **settings)
    first.train()
    counts = first._rounds.curriculum.metrics()
    assert counts["num_observed"] > counts["num_fate_trained"]
    assert counts["num_undrawn_results"] == counts["num_awaited"] == 0
    resumed = trainer(parts, tmp_path, 4, kind, **settings)
    resumed.train(resume_from_checkpoint=True)
    assert resumed._rounds.step == 2
    ((batch, names),) = first.__dict__["seen"]
    ((_, others),) = resumed.__dict__["seen"]
    assert not set(names) & set(others)
    for each in (names, others):
        assert {each.count(name) for name in each} == {4}
        assert len(each) == 16
    assert int(batch["num_items_in_batch"]) == int(batch["completion_mask"].sum())
    groups = {name: batch["advantages"][[n == name for n in names]] for name in names}
    num_valid = sum(bool(group.any()) for group in groups.values())
    assert num_valid == counts["num_fate_trained"] > 0
    assert all(abs(float(group.sum())) < 1e-4 for group in groups.values())
    after = resumed._rounds.curriculum.metrics()
    assert after["num_observed"] >= counts["num_observed"] + 4
    assert after["num_drawn"] == after["num_observed"]


@pytest.mark.long
def test_rows_of_several_batches_are_padded_alike() -> None:
    pytest.importorskip("trl")
    import torch

    from curricula.adapters.trl_trainer import batch_of_rows, rows_of_batch

    one = {
        "prompt_ids": torch.tensor([[0, 5], [5, 6]]),
        "prompt_mask": torch.tensor([[0, 1], [1, 1]]),
        "completion_ids": torch.tensor([[7, 8, 9]] * 2),
        "token_type_ids": torch.tensor([[1, 1, 2, 2, 2]] * 2),
        "tool_mask": torch.tensor([[1, 0, 1]] * 2),
        "importance_sampling_ratio": torch.tensor([[0.5], [0.5]]),
        "advantages": torch.tensor([1.0, -1.0]),
        "num_images": [1, 2],
        "num_items_in_batch": torch.tensor(6),
    }
    other = {
        "prompt_ids": torch.tensor([[5, 6, 7]]),
        "prompt_mask": torch.tensor([[1, 1, 1]]),
        "completion_ids": torch.tensor([[7]]),
        "token_type_ids": torch.tensor([[1, 1, 1, 2]]),
        "tool_mask": torch.tensor([[1]]),
        "importance_sampling_ratio": torch.tensor([[0.25]]),
        "advantages": torch.tensor([2.0]),
        "num_images": [3],
        "num_items_in_batch": torch.tensor(1),
    }
    rows = [rows_of_batch(one)[1], *rows_of_batch(other)]
    batch = batch_of_rows(rows, {"num_images"}, pad_token=4)
    assert {
        key: value if isinstance(value, list) else value.tolist() for key, value in batch.items()
    } == {
        "prompt_ids": [[4, 5, 6], [5, 6, 7]],
        "prompt_mask": [[0, 1, 1], [1, 1, 1]],
        "completion_ids": [[7, 8, 9], [7, 4, 4]],
        "token_type_ids": [[0, 1, 1, 2, 2, 2], [1, 1, 1, 2, 0, 0]],
        "tool_mask": [[1, 0, 1], [1, 1, 1]],
        "importance_sampling_ratio": [[0.5], [0.25]],
        "advantages": [-1.0, 2.0],
        "num_images": [2, 3],
    }


@pytest.mark.long
def test_what_cannot_be_looked_up_is_refused(parts: Any, tmp_path: Path) -> None:
    from datasets import Dataset, IterableDataset

    rows = [{"prompt": "1 + 1 ="}] * 8
    with pytest.raises(SettingsError, match="column problem_id in the data set, found"):
        trainer(parts, tmp_path, 1, data=Dataset.from_list(rows))
    stream = IterableDataset.from_generator(lambda: iter(rows))
    with pytest.raises(SettingsError, match="rows can be looked up, found a IterableDataset"):
        trainer(parts, tmp_path, 1, data=stream)
