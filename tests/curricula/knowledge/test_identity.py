"""States that belong to another curriculum are noticed."""

import pickle

import pytest
from worlds import curriculum_over, make, problems, run, with_texts

from curricula import StateError


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda: make("uniform", 600), "kind = uniform"),
        (lambda: make("rlcs", 600, boundaries=(0.9, 0.6, 0.4, 0.1)), "tiers = "),
        (lambda: make("rlcs", expansion="predicted"), "parts = .*'PredictedDraw'"),
        (lambda: make("rlcs", domains="progress"), "parts = .*'ProgressShares'"),
        (lambda: make("rlcs", 601), "found one of 600 .* 0 are not here"),
        (lambda: make("rlcs", 100), "are not here: 'p"),
        (lambda: curriculum_over(problems(600)), "these 600 problems, found one of 600"),
    ],
    ids=[
        *("kind", "tiers", "other expansion", "other domains", "a problem more", "many fewer"),
        "offline pass rates gone",
    ],
)
def test_a_foreign_state_is_refused(other, why: str) -> None:  # type: ignore[no-untyped-def]
    saved = make("rlcs")
    run(saved, range(5))
    curriculum = other()
    before = pickle.dumps(curriculum.state_dict())
    with pytest.raises(StateError, match=why):
        curriculum.load_state_dict(saved.state_dict())
    assert pickle.dumps(curriculum.state_dict()) == before


def test_an_edited_text_is_noticed_and_forgotten_on_request() -> None:
    saved = curriculum_over(with_texts(60, set()))
    run(saved, range(6))
    seen = saved.export_difficulty().pass_rates
    unseen = [i for i in range(60) if f"p{i}" not in seen]
    state = saved.state_dict()
    curriculum_over(with_texts(60, set())).load_state_dict(state)
    curriculum_over(problems(60)).load_state_dict(state)  # without texts nothing can be told
    other = curriculum_over(with_texts(60, {7, unseen[0]}))
    observed = f"{'1' if 'p7' in seen else '0'} were edited"
    with pytest.raises(StateError, match=f"texts differ; .* 0 are not here, {observed}"):
        other.load_state_dict(state)
    other.load_state_dict(state, reconcile=True)
    assert other.metrics()["num_edited"] == ("p7" in seen)
    assert other.export_difficulty().pass_rates == {n: r for n, r in seen.items() if n != "p7"}


def test_half_a_state_is_refused() -> None:
    state = make("rlcs").state_dict()
    del state["pacing"]
    with pytest.raises(StateError, match="without 'pacing'"):
        make("rlcs").load_state_dict(state)
