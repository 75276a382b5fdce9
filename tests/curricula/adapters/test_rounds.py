"""Rounds: draws, results and selection for trainers that train on a part of what they roll out."""

from typing import Any

import pytest
from worlds import assert_same_state, make, verdicts

from curricula import Fate, ObservationError, SettingsError, StateError
from curricula.adapters.rounds import Rounds
from curricula.plain import pack, unpack


def play(rounds: Rounds) -> tuple[list[str], list[str]]:
    """One step: what was rolled out, and what was chosen."""
    rolled_out: list[str] = []
    while names := rounds.draw():
        rounds.observe(*verdicts(names, rounds.step))
        rolled_out += names
    return rolled_out, rounds.close()


def test_more_is_rolled_out_than_trained_on() -> None:
    rounds = Rounds(make("rlcs"), 6)
    rolled_out, chosen = play(rounds)
    assert len(rolled_out) == 9
    assert len(set(chosen)) == 6
    assert set(chosen) <= set(rolled_out)
    counts = rounds.curriculum.metrics()
    assert counts["num_observed"] == 9
    assert counts["num_unanswered_draws"] == 0
    assert counts["num_fate_trained"] <= 6
    assert sum(counts[f"num_fate_{fate}"] for fate in Fate if fate is not Fate.CARRIED) == 9


def test_refills_belong_to_the_same_step() -> None:
    rounds = Rounds(make("dapo", max_draws=3), 8)
    first = rounds.draw()
    rounds.observe(first, [False] * len(first))
    assert rounds.wants_more()
    second = rounds.draw()
    assert len(second) == 8
    assert not set(first) & set(second)
    rounds.observe(second * 2, [True] * 8 + [False] * 8)
    assert rounds.draw() == []
    assert sorted(rounds.close()) == sorted(second)
    assert rounds.step == 1


def test_valid_groups_come_first_and_others_fill_the_batch() -> None:
    rounds = Rounds(make("uniform"), 4)
    names = rounds.draw()
    one, two, three, four = names
    ids = [one, one, two, two, three, three, four, four]
    rounds.observe(ids, [None, None, True, True, True, False, False, False])
    assert rounds.close() == [three, two, four, one]


def test_lost_groups_are_our_failure() -> None:
    rounds = Rounds(make("uniform"), 4)
    names = rounds.draw()
    with pytest.raises(ObservationError, match=f"none of '{names[3]}'"):
        rounds.observe(names[:3], [True] * 3)
    rounds.observe(names[:3], [True] * 3, missing=8)
    assert rounds.curriculum.metrics()["valid_rate"] == 0
    assert rounds.close()[-1] == names[3]
    assert rounds.curriculum.metrics()["num_errored"] == 1


def test_a_loaded_state_goes_on_exactly() -> None:
    rounds, other = Rounds(make("rlcs"), 6), Rounds(make("rlcs"), 6)
    for _ in range(3):
        play(rounds)
    other.load_state_dict(unpack(pack(rounds.state_dict())))
    assert [play(other) for _ in range(2)] == [play(rounds) for _ in range(2)]
    assert_same_state(other.state_dict(), rounds.state_dict())
    rounds.draw()
    with pytest.raises(StateError, match="found step 5 under way"):
        rounds.state_dict()
    wrong: list[Any] = [{}, {"next_step": 1}, [], {"next_step": 1, "curriculum": {}}]
    for state in wrong:
        with pytest.raises(StateError):
            other.load_state_dict(state)


def test_what_a_trainer_cannot_do_is_refused() -> None:
    few = Rounds(make("uniform", num=5), 6)
    names = few.draw()
    few.observe(*verdicts(names, 0))
    with pytest.raises(SettingsError, match="expected at least 6 groups at step 0, found 5"):
        few.draw()
    keeping = Rounds(make("rlcs", carry_over=True, initial_expansion=4), 2)
    names = keeping.draw()
    keeping.observe(names * 2, [True] * len(names) + [False] * len(names))
    with pytest.raises(SettingsError, match="without carry_over"):
        keeping.close()
    screening: Any = make("uniform")
    screening.screening = 3
    with pytest.raises(SettingsError, match="without screening, found one of 3"):
        Rounds(screening, 2)
