"""A curriculum in the loop of a PyTorch DataLoader."""

from typing import Any

import pytest
from worlds import IDS, assert_same_state, make, verdicts

from curricula import Fate, SettingsError
from curricula.adapters.torch_sampler import CurriculumBatchSampler
from curricula.plain import pack, unpack


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
    state = unpack(pack(whole.state_dict()))
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
