"""States taken over by a curriculum of other problems."""

import pytest
from worlds import assert_same_state, curriculum_over, make, problems, run, with_texts

from curricula import CurriculumProblem, GroupResult, make_curriculum


@pytest.mark.parametrize("kind", ["rlcs", "posterior", "uniform", "dapo", "static"])
def test_reconciling_takes_over_what_is_still_here(kind: str) -> None:
    saved = make(kind)
    run(saved, range(20))
    state = saved.state_dict()
    old = [p for p in problems(600, graded=True) if int(p.problem_id[1:]) % 5]
    new = [
        CurriculumProblem(problem_id=f"new{i}", domain="ocr", category="", prior_pass_rate=0.5)
        for i in range(50)
    ]
    curriculum = curriculum_over(old + new, kind)
    curriculum.load_state_dict(state, reconcile=True)
    before, after = saved.export_difficulty(), curriculum.export_difficulty()
    kept = {name: rate for name, rate in before.pass_rates.items() if int(name[1:]) % 5}
    assert after.pass_rates == kept
    assert curriculum.metrics()["num_forgotten"] == len(before.ids) - len(after.ids) > 0
    labels = dict(zip(before.ids, before.labels, strict=True))
    assert all(labels[name] == label for name, label in zip(after.ids, after.labels, strict=True))
    assert curriculum.metrics().get("expansion_ratio") == saved.metrics().get("expansion_ratio")
    assert {d.problem_id for draws, _ in [(curriculum.draw(16, step=20), 0)] for d in draws}


def test_draws_of_problems_that_are_gone_stay_in_the_accounts() -> None:
    saved = make_curriculum("rlcs", with_texts(60, set()), group_size=8, seed=0, carry_over=True)
    results = [GroupResult(d.problem_id, 0, 4, 8, 0) for d in saved.draw(12, step=0)]
    saved.observe(results)
    saved.select(results, 4)
    carried = saved.carried
    awaited = [draw.problem_id for draw in saved.draw(30, step=1)]
    assert len(carried) > 4
    assert len(awaited) > 4
    gone = {carried[0], carried[1], awaited[0]}
    edited = {int(carried[2][1:]), int(awaited[1][1:])}
    other = make_curriculum(
        "rlcs",
        [p for p in with_texts(60, edited) if p.problem_id not in gone],
        group_size=8,
        seed=0,
        carry_over=True,
    )
    other.load_state_dict(saved.state_dict(), reconcile=True)
    metrics = other.metrics()
    assert other.carried == carried[3:]
    assert metrics["num_fate_surplus"] == 3
    assert metrics["num_unanswered_draws"] == 2
    assert metrics["num_awaited"] == len(awaited) - 2
    assert metrics["num_drawn"] == len(results) + len(awaited)
    assert metrics["num_drawn"] == sum(
        metrics[f"num_{name}"] for name in ("observed", "awaited", "unanswered_draws")
    )


def test_reconciling_with_the_same_problems_changes_nothing() -> None:
    saved, other = make("rlcs"), make("rlcs", seed=9)
    run(saved, range(8))
    other.load_state_dict(saved.state_dict(), reconcile=True)
    assert_same_state(other.state_dict(), saved.state_dict())
