"""What the adapters share."""

import pytest
from worlds import NOT_EXPANDED, make, verdicts

from curricula import ObservationError, SettingsError
from curricula.adapters.feeding import Feed, group_results
from curricula.plain import pack, unpack


def test_completions_are_counted_by_problem() -> None:
    results = group_results(["a", "b", "a", "a", "b"], [True, None, False, None, None], step=3)
    assert [(r.problem_id, r.step, r.passes, r.attempts, r.errors) for r in results] == [
        ("a", 3, 1, 2, 1),
        ("b", 3, 0, 0, 2),
    ]
    with pytest.raises(ObservationError, match="found 1 for 2"):
        group_results(["a", "b"], [True], step=0)


def test_a_feed_hands_out_again_what_has_no_results() -> None:
    """Trainers fetch a batch ahead; it is not lost when they stop."""
    feed = Feed(make("rlcs", **NOT_EXPANDED), 6)
    drawn = [feed.draw() for _ in range(3)]
    for step in (0, 1):
        names, passed = verdicts([name for _, name in drawn[step]], step)
        feed.observe([step] * len(names), names, passed)
    other = Feed(make("rlcs", **NOT_EXPANDED), 6)
    other.load_state_dict(unpack(pack(feed.state_dict())))
    assert other.draw() == drawn[2]
    assert other.draw() == feed.draw()


@pytest.mark.parametrize(
    ("settings", "why"), [({}, "found 9: the curriculum expands"), ({"carry_over": True}, "9")]
)
def test_a_feed_refuses_what_expands(settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Feed(make("rlcs", **settings), 6).draw()
