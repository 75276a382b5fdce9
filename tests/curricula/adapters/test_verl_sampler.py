"""A curriculum in verl, with the real package."""

from typing import Any

import pytest

from curricula.plain import pack, unpack


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
    state = unpack(pack(whole.state_dict()))
    rest = train(whole, 3)
    resumed = new()
    resumed.load_state_dict(state)
    assert train(resumed, 3) == rest
    metrics = whole.sampler.curriculum.metrics()
    assert metrics["num_drawn"] == metrics["num_observed"] == 7 * 8
    assert metrics["num_undrawn_results"] == 0
    assert all(len(set(batch)) == 8 for batch in rest)
