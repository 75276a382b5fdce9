"""Counts of what became of every drawn problem: they add up at every moment."""

import numpy as np
import pytest

from curricula import Fate
from curricula.choosing.accounts import Accounts
from curricula.knowledge.ids import IdTable


def adds_up(accounts: Accounts) -> bool:
    count = accounts.metrics()
    open_or_lost = count["num_awaited"] + count["num_unanswered_draws"]
    answered = count["num_observed"] - count["num_undrawn_results"]
    return count["num_drawn"] == answered + open_or_lost


def test_draws_are_answered_repeated_or_awaited() -> None:
    accounts = Accounts()
    accounts.draw(["a", "b", "c"], np.array([0, 1, 2]))
    accounts.observe(["a", "x"], num_known=1, num_valid=1)  # nobody drew x; one group is errored
    assert adds_up(accounts)
    accounts.draw(["b", "d"], np.array([1, 3]))  # b again, before its result came
    assert adds_up(accounts)
    count = accounts.metrics()
    assert (count["num_undrawn_results"], count["num_unanswered_draws"]) == (1, 1)
    assert (count["num_errored"], count["num_valid"]) == (1, 1)
    assert set(accounts.awaited) == {"b", "c", "d"}


def test_the_valid_rate_is_of_the_step_and_of_known_groups() -> None:
    accounts = Accounts()
    accounts.observe(["a", "b", "c"], num_known=2, num_valid=1)
    assert accounts.valid_rate() == {"valid_rate": pytest.approx(0.5)}
    accounts.begin_step()
    assert accounts.valid_rate() == {}
    assert accounts.metrics()["num_observed"] == 3


def test_what_is_gone_or_edited_is_closed() -> None:
    accounts = Accounts()
    accounts.draw(["a", "b", "c"], np.array([0, 1, 2]))
    accounts.carried = {"d": 3, "e": 4}
    ids, _ = IdTable.build(["b", "c", "d", "new"])
    accounts.move_to(ids, edited={"c"})
    assert ids.texts(np.array(list(accounts.awaited.values()))) == list(accounts.awaited) == ["b"]
    assert list(accounts.carried) == ["d"]
    count = accounts.metrics()
    assert (count["num_unanswered_draws"], count["num_fate_surplus"]) == (2, 1)
    assert adds_up(accounts)


def test_carried_groups_have_no_fate_yet_and_a_state_comes_back() -> None:
    accounts = Accounts()
    accounts.decide({"a": Fate.TRAINED, "b": Fate.CARRIED, "c": Fate.INVALID})
    accounts.add(edited=2)
    again = Accounts()
    again.restore(accounts.state())
    count = again.metrics()
    assert count == accounts.metrics()
    assert sum(value for name, value in count.items() if name.startswith("num_fate_")) == 2
    assert count["num_edited"] == 2
