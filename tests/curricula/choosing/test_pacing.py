"""How many groups are drawn."""

import numpy as np
from worlds import make, run

from curricula import Fate, GroupResult


def test_a_step_without_any_valid_group_is_survived() -> None:
    curriculum = make("rlcs", expansion_cap=4.0)
    for step in range(3):
        draws = curriculum.draw(10, step=step)
        curriculum.observe([GroupResult(d.problem_id, step, 0, 8, 0) for d in draws])
        assert curriculum.metrics()["valid_rate"] == 0
        assert curriculum.metrics()["expansion_ratio"] == 4
    assert len(curriculum.draw(10, step=3)) == 40
    assert curriculum.metrics()["steps_without_valid"] == 3


def test_dapo_refills_until_full_or_until_its_bound() -> None:
    curriculum = make("dapo", max_draws=3)
    for _, fate in run(curriculum, range(6)):
        assert sum(each is Fate.TRAINED for each in fate.values()) <= 16
    for step in (6, 7):
        rounds = 0
        while draws := curriculum.draw(8, step=step):
            rounds += 1
            curriculum.observe([GroupResult(d.problem_id, step, 0, 8, 0) for d in draws])
        assert rounds == 3
    assert curriculum.metrics()["refills_exhausted"] >= 2
    full = make("dapo", max_draws=50)
    for _, fate in run(full, range(5)):
        assert sum(each is Fate.TRAINED for each in fate.values()) == 16
    assert full.metrics()["num_fate_surplus"] == 0


def test_predicted_expansion_comes_to_what_was_asked() -> None:
    curriculum = make("posterior", 3000)
    log = run(curriculum, range(30), num_groups=32)
    valid = [sum(f in (Fate.TRAINED, Fate.SURPLUS) for f in fate.values()) for _, fate in log[10:]]
    assert 28 <= np.mean(valid) <= 42
