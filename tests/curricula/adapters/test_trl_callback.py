"""A curriculum in TRL's GRPOTrainer, with the real package."""

from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
from worlds import IDS, NOT_EXPANDED, problems

from curricula import make_curriculum
from curricula.plain import unpack

ROOT = Path(__file__).parents[3]


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
    saved = unpack((tmp_path / "run" / "checkpoint-3" / "curriculum.npz").read_bytes())
    ahead = {name for names in saved["out"].values() for name in names}
    trainer, curriculum = train(6, resume=True)
    metrics = curriculum.metrics()
    assert trainer.state.global_step == 6
    assert metrics["num_observed"] == 24
    assert metrics["num_undrawn_results"] == 0
    # What had been fetched ahead when the first run ended was rolled out by the second.
    assert ahead <= set(curriculum.export_difficulty().ids)
