"""Evidence about problems: how it ages, and when it retires them."""

import pytest
from worlds import make, roll_out

from curricula import GroupResult


@pytest.mark.parametrize(("passes", "retired_as"), [(8, "solved"), (0, "hopeless")])
def test_a_confirmed_re_test_keeps_a_problem_retired(passes: int, retired_as: str) -> None:
    """Its evidence is too old by then to retire it anew, but nothing speaks against it."""
    curriculum = make("rlcs", discount=0.9)
    for step in (0, 1):
        curriculum.observe([GroupResult("p0", step, passes, 8, 0)])
    assert curriculum.metrics()[retired_as] == 1
    curriculum.observe([GroupResult("p0", 60, passes, 8, 0)])
    assert curriculum.metrics()[retired_as] == 1
    curriculum.observe([GroupResult("p0", 120, 4, 8, 0)])
    assert curriculum.metrics()[retired_as] == 0


def test_late_results_weigh_less_than_fresh_ones() -> None:
    fresh, late = make("rlcs", 60), make("rlcs", 60)
    index = fresh.ids.find(["p0"])
    for curriculum, steps in ((fresh, (0, 40)), (late, (40, 0))):
        for step, passes in zip(steps, (8, 0) if steps[0] == 0 else (0, 8), strict=True):
            curriculum.observe([GroupResult("p0", step, passes, 8, 0)])
    for name in ("passes", "failures", "last_step"):
        assert getattr(fresh._history, name)[index] == getattr(late._history, name)[index]


def test_evidence_ages_by_the_step_and_gives_way_to_the_prior() -> None:
    """By hand: discount .5, three steps between two groups."""
    curriculum = make("rlcs", discount=0.5)
    curriculum.observe([GroupResult("p0", 1, 8, 8, 0)])
    curriculum.observe([GroupResult("p0", 4, 2, 8, 0)])
    table = curriculum.export_difficulty()
    # Exported at the step of the last draw (none yet), so not aged further.
    assert table.passes.tolist() == [8 * 0.5**3 + 2]
    assert table.attempts.tolist() == [8 * 0.5**3 + 8]
    curriculum.draw(1, step=6)
    assert curriculum.export_difficulty().attempts.tolist() == [9 / 4]


def test_long_certainty_does_not_overflow() -> None:
    curriculum = make("rlcs", discount=1.0)
    for step in range(600):
        curriculum.observe([GroupResult("p0", step, 8, 8, 0)])
    table = curriculum.export_difficulty()
    assert table.passes[0] == table.attempts[0] == 2048
    roll_out(curriculum.draw(4, step=600), 600)
