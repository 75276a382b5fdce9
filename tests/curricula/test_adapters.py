"""Curricula in other trainers, with the real packages."""

import pickle
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
from worlds import assert_same_state, make, problems, roll_out

from curricula import Draw, Fate, ObservationError, SettingsError, make_curriculum
from curricula.adapters.feeding import Feed, group_results
from curricula.adapters.torch_sampler import CurriculumBatchSampler

ROOT = Path(__file__).parents[2]
IDS = [f"p{i}" for i in range(120)]
NOT_EXPANDED = {"initial_expansion": 1, "expansion_cap": 1}


def verdicts(names: Sequence[str], step: int) -> tuple[list[str], list[bool | None]]:
    """Judged completions of these problems, shuffled together."""
    results = roll_out([Draw(name, 1.0, "") for name in names], step, error_rate=0.1)
    flat = [
        (result.problem_id, verdict)
        for result in results
        for verdict in [
            *[True] * result.passes,
            *[False] * (result.attempts - result.passes),
            *[None] * result.errors,
        ]
    ]
    flat.sort(key=lambda each: hash((each[0], each[1], step)))
    return [name for name, _ in flat], [verdict for _, verdict in flat]


def test_completions_are_counted_by_problem() -> None:
    results = group_results(["a", "b", "a", "a", "b"], [True, None, False, None, None], step=3)
    assert [(r.problem_id, r.step, r.passes, r.attempts, r.errors) for r in results] == [
        ("a", 3, 1, 2, 1),
        ("b", 3, 0, 0, 2),
    ]
    with pytest.raises(ObservationError, match="found 1 for 2"):
        group_results(["a", "b"], [True], step=0)


def loop(sampler: CurriculumBatchSampler, curriculum: Any, num_batches: int) -> list[list[int]]:
    """The loop of a trainer over a DataLoader."""
    from torch.utils.data import DataLoader

    batches = []
    for batch in DataLoader(list(range(len(IDS))), batch_sampler=sampler):
        batches.append(batch.tolist())
        names = [IDS[row] for row in batches[-1]]
        assert names == [draw.problem_id for draw in sampler.draws]
        results = sampler.observe(*verdicts(names, sampler.step))
        fates = curriculum.select(results, 8)
        assert sum(fate is Fate.TRAINED for fate in fates.values()) <= 8
        if len(batches) == num_batches:
            break
    return batches


@pytest.mark.parametrize("kind", ["rlcs", "uniform", "dapo"])
def test_a_data_loader_rolls_out_what_is_drawn_and_resumes(kind: str) -> None:
    def new() -> tuple[CurriculumBatchSampler, Any]:
        curriculum = make(kind, len(IDS))
        return CurriculumBatchSampler(curriculum, IDS, num_groups=8, num_steps=12), curriculum

    whole, first = new()
    loop(whole, first, 7)
    state = pickle.loads(pickle.dumps(whole.state_dict()))
    rest = loop(whole, first, 10**6)
    resumed, second = new()
    resumed.load_state_dict(state)
    assert loop(resumed, second, 10**6) == rest
    assert_same_state(second.state_dict(), first.state_dict())
    assert whole.step == 12
    assert len(whole) == 0 or kind == "dapo"
    if kind == "rlcs":
        assert max(map(len, rest)) > 8  # expanded


def test_bad_ids_of_a_sampler() -> None:
    with pytest.raises(SettingsError, match="1 repeats"):
        CurriculumBatchSampler(make("rlcs"), ["p1", "p1"], num_groups=2, num_steps=1)
    sampler = CurriculumBatchSampler(make("rlcs"), IDS[:2], num_groups=2, num_steps=1)
    with pytest.raises(ValueError, match="foreign"):
        sampler.observe(["foreign"], [True])


def test_a_feed_hands_out_again_what_has_no_results() -> None:
    """Trainers fetch a batch ahead; it is not lost when they stop."""
    feed = Feed(make("rlcs", **NOT_EXPANDED), 6)
    drawn = [feed.draw() for _ in range(3)]
    for step in (0, 1):
        names, passed = verdicts([name for _, name in drawn[step]], step)
        feed.observe([step] * len(names), names, passed)
    other = Feed(make("rlcs", **NOT_EXPANDED), 6)
    other.load_state_dict(pickle.loads(pickle.dumps(feed.state_dict())))
    assert other.draw() == drawn[2]
    assert other.draw() == feed.draw()


@pytest.mark.parametrize(
    ("settings", "why"), [({}, "found 9: the curriculum expands"), ({"carry_over": True}, "9")]
)
def test_a_feed_refuses_what_expands(settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Feed(make("rlcs", **settings), 6).draw()


def test_verl_trains_on_what_is_drawn_and_resumes() -> None:
    """Made, called and saved as verl 0.6's trainer does."""
    pytest.importorskip("verl.experimental.dataset.sampler")
    import numpy as np
    import torch
    from datasets import Dataset
    from omegaconf import OmegaConf
    from torchdata.stateful_dataloader import StatefulDataLoader
    from verl import DataProto
    from verl.experimental.dataset.sampler import AbstractSampler
    from verl.utils.import_utils import load_extern_type

    class Rows(torch.utils.data.Dataset[dict[str, Any]]):
        """As verl's RLHFDataset: a data frame, and rows."""

        def __init__(self) -> None:
            self.dataframe = Dataset.from_list(
                [
                    {"data_source": "math", "ability": f"c{i % 4}", "extra_info": {"index": i}}
                    for i in range(60)
                ]
            )

        def __len__(self) -> int:
            return len(self.dataframe)

        def __getitem__(self, row: int) -> dict[str, Any]:
            return dict(self.dataframe[row])

    config = OmegaConf.create(
        {
            "train_batch_size": 8,
            "dataloader_num_workers": 0,
            "shuffle": True,
            "seed": 3,
            "sampler": {
                "class_path": "pkg://curricula.adapters.verl_sampler",
                "class_name": "VerlCurriculumSampler",
                "kind": "rlcs",
                "pass_mark": 0.5,
                "settings": {"sharpness": 2.0},
            },
        }
    )

    def new() -> Any:
        rows, where = Rows(), config.sampler
        sampler = load_extern_type(where.class_path, where.class_name)(
            data_source=rows, data_config=config
        )
        assert isinstance(sampler, AbstractSampler)
        return StatefulDataLoader(
            rows, batch_size=8, drop_last=True, sampler=sampler, num_workers=0, collate_fn=list
        )

    def train(loader: Any, num_steps: int) -> list[list[int]]:
        seen: list[list[int]] = []
        while len(seen) < num_steps:
            for batch in loader:
                seen.append([row["extra_info"]["index"] for row in batch])
                rows = [row for row in batch for _ in range(4)]
                passed = [(row["extra_info"]["index"] + i) % 3 == 0 for i, row in enumerate(rows)]
                scores = torch.zeros(len(rows), 5)
                scores[:, 4] = torch.tensor(passed).float()
                proto = DataProto.from_dict(
                    tensors={"token_level_scores": scores},
                    non_tensors={
                        "data_source": np.array([r["data_source"] for r in rows], dtype=object),
                        "extra_info": np.array([r["extra_info"] for r in rows], dtype=object),
                    },
                )
                loader.sampler.update(batch=proto)
                if len(seen) == num_steps:
                    break
        return seen

    whole = new()
    assert len(whole) == 7
    train(whole, 4)
    state = pickle.loads(pickle.dumps(whole.state_dict()))
    rest = train(whole, 3)
    resumed = new()
    resumed.load_state_dict(state)
    assert train(resumed, 3) == rest
    metrics = whole.sampler.curriculum.metrics()
    assert metrics["num_drawn"] == metrics["num_observed"] == 7 * 8
    assert metrics["num_undrawn_results"] == 0
    assert all(len(set(batch)) == 8 for batch in rest)


def reward(prompts: list[str], completions: list[str], **columns: Any) -> list[float | None]:
    """Some problems always pass, some never, some by chance; one in ten cannot be judged."""
    ids = columns["problem_id"]
    return [
        None if i % 10 == 9 else float(len(text) % 4 < int(name[1:]) % 5)
        for i, (name, text) in enumerate(zip(ids, completions, strict=True))
    ]


@pytest.mark.long
def test_trl_trains_on_what_is_drawn_and_resumes(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    from curricula.adapters.trl_callback import CurriculumCallback

    tiny = SourceFileLoader("tiny", str(ROOT / "scripts" / "make_tiny_model")).load_module()
    tokenizer = tiny.make_tokenizer()
    model = tiny.make_model(tokenizer, hidden=32, layers=1, seed=0)
    rows = Dataset.from_list([{"problem_id": name, "prompt": f"{name} = "} for name in IDS])

    def train(max_steps: int, resume: bool) -> tuple[Any, Any]:
        curriculum = make_curriculum(
            "rlcs", problems(120), group_size=4, seed=0, **NOT_EXPANDED  # type: ignore[arg-type]
        )  # fmt: skip
        lessons = CurriculumCallback(curriculum, rows, num_groups=4)
        config = GRPOConfig(
            output_dir=str(tmp_path / "run"),
            per_device_train_batch_size=16,
            num_generations=4,
            max_completion_length=6,
            max_steps=max_steps,
            save_steps=3,
            logging_steps=1,
            shuffle_dataset=False,
            ignore_data_skip=True,
            report_to=[],
            use_cpu=True,
        )
        trainer = GRPOTrainer(
            model,
            reward_funcs=lessons.watch(reward, pass_mark=1.0),
            train_dataset=lessons.dataset(),
            args=config,
            callbacks=[lessons],
            processing_class=tokenizer,
        )
        trainer.train(resume_from_checkpoint=resume)
        return trainer, curriculum

    trainer, curriculum = train(3, resume=False)
    metrics = curriculum.metrics()
    assert trainer.state.global_step == 3
    assert metrics["num_observed"] == 12
    assert metrics["num_undrawn_results"] == 0
    saved = pickle.loads((tmp_path / "run" / "checkpoint-3" / "curriculum.pkl").read_bytes())
    ahead = {name for names in saved["out"].values() for name in names}
    trainer, curriculum = train(6, resume=True)
    metrics = curriculum.metrics()
    assert trainer.state.global_step == 6
    assert metrics["num_observed"] == 24
    assert metrics["num_undrawn_results"] == 0
    # What had been fetched ahead when the first run ended was rolled out by the second.
    assert ahead <= set(curriculum.export_difficulty().ids)
