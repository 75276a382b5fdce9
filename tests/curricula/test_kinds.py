"""What the single kinds and their settings do."""

import pickle
from collections import Counter

import numpy as np
import pytest
from worlds import assert_same_state, make, problems, roll_out, run

from curricula import Fate, GroupResult, ObservationError, SettingsError, make_curriculum

ADAPTIVE = ["rlcs", "posterior", "hard_stage"]


@pytest.mark.parametrize("kind", ADAPTIVE)
@pytest.mark.parametrize(
    "settings",
    [
        {"domains": "fixed", "domain_ratios": {"math": 3, "chart": 1}},
        {"domains": "progress", "domain_floor": 0.2},
        {"carry_over": True},
        {"expansion": "predicted"},
        {"expansion": "ratio", "min_gap": 0},
    ],
    ids=lambda s: " ".join(f"{k}={v}" for k, v in s.items() if not isinstance(v, dict)),
)
def test_settings_keep_the_promises(kind: str, settings: dict[str, object]) -> None:
    """Exact resume and complete accounts, whatever the settings."""
    whole = make(kind, **settings)
    carried: dict[str, GroupResult] = {}
    final: Counter[Fate] = Counter()
    for step in range(16):
        if step == 8:
            resumed = make(kind, seed=4, **settings)
            resumed.load_state_dict(pickle.loads(pickle.dumps(whole.state_dict())))
        draws = whole.draw(16, step=step)
        assert step < 8 or resumed.draw(16, step=step) == draws
        results = roll_out(draws, step)
        for curriculum in (whole,) if step < 8 else (whole, resumed):
            curriculum.observe(results)
            fate = curriculum.select([*carried.values(), *results], 16)
        carried = {r.problem_id: r for r in [*carried.values(), *results]
                   if fate[r.problem_id] is Fate.CARRIED}  # fmt: skip
        final.update(each for each in fate.values() if each is not Fate.CARRIED)
    metrics = whole.metrics()
    assert metrics["num_drawn"] == sum(final.values()) + len(carried)
    assert metrics["num_carried"] == len(carried)
    assert {n: v for n, v in metrics.items() if n.startswith("num_fate")} == {
        f"num_fate_{fate}": float(final[fate]) for fate in Fate if fate is not Fate.CARRIED
    }
    assert_same_state(resumed.state_dict(), whole.state_dict())


def test_fixed_ratios_hold_in_draws_and_in_selection() -> None:
    curriculum = make("rlcs", domains="fixed", domain_ratios={"math": 1, "chart": 3})
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    drawn: Counter[str] = Counter()
    trained: Counter[str] = Counter()
    for draws, fate in run(curriculum, range(10)):
        drawn.update(domain[draw.problem_id] for draw in draws)
        trained.update(domain[name] for name, each in fate.items() if each is Fate.TRAINED)
    assert drawn["chart"] / drawn.total() == pytest.approx(0.75, abs=0.02)
    assert trained["chart"] / trained.total() == pytest.approx(0.75, abs=0.04)


def test_a_quota_that_cannot_be_met_is_counted() -> None:
    curriculum = make("rlcs", domains="fixed", domain_ratios={"math": 1, "chart": 1})
    draws = curriculum.draw(16, step=0)
    math_ids = {problem.problem_id for problem in problems(600) if problem.domain == "math"}
    results = [
        GroupResult(draw.problem_id, 0, 4 if draw.problem_id in math_ids else 0, 8, 0)
        for draw in draws
    ]
    curriculum.observe(results)
    fate = curriculum.select(results, 16)
    assert curriculum.metrics()["num_unfilled_quota"] == 8
    assert sum(each is Fate.TRAINED for each in fate.values()) > 8


def test_draws_that_a_domain_has_no_problems_for_are_counted() -> None:
    rows = [p for p in problems(600) if p.domain == "math" or int(p.problem_id[1:]) < 12]
    curriculum = make_curriculum(
        "rlcs", rows, group_size=8, seed=0, domains="fixed", domain_ratios={"math": 1, "chart": 1}
    )
    draws = curriculum.draw(40, step=0)  # expanded to 60, but there are 6 problems of charts
    charts = {row.problem_id for row in rows if row.domain == "chart"}
    assert sum(draw.problem_id in charts for draw in draws) == 6
    assert curriculum.metrics()["num_displaced_draws"] == 24


def test_selection_keeps_the_shares_of_the_draw() -> None:
    """Learning progress observed between the two must not move the quotas of the step."""
    curriculum = make("rlcs", domains="progress", domain_floor=0.1)
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    for step in range(8):
        draws = curriculum.draw(32, step=step)
        drawn = sum(domain[draw.problem_id] == "chart" for draw in draws) / len(draws)
        moved = {"math": 4, "chart": 1 + 6 * (step % 2)}
        results = [
            GroupResult(d.problem_id, step, moved[domain[d.problem_id]], 8, 0) for d in draws
        ]
        curriculum.observe(results)
        fate = curriculum.select(results, 20)
        trained = [name for name, each in fate.items() if each is Fate.TRAINED]
        share = sum(domain[name] == "chart" for name in trained) / len(trained)
        assert share == pytest.approx(drawn, abs=0.06)


def test_progress_goes_to_the_domain_that_moves() -> None:
    curriculum = make("rlcs", domains="progress", domain_floor=0.1, expansion="predicted")
    domain = {problem.problem_id: problem.domain for problem in problems(600)}
    share = 0.0
    for step in range(20):
        draws = curriculum.draw(32, step=step)
        share = sum(domain[draw.problem_id] == "chart" for draw in draws) / len(draws)
        passes = {"math": 4, "chart": 2 + 4 * (step // 5 % 2)}
        curriculum.observe(
            [GroupResult(d.problem_id, step, passes[domain[d.problem_id]], 8, 0) for d in draws]
        )
    assert share > 0.8


def test_carried_groups_must_come_back() -> None:
    curriculum = make("rlcs", carry_over=True)
    results = [GroupResult(d.problem_id, 0, 4, 8, 0) for d in curriculum.draw(16, step=0)]
    curriculum.observe(results)
    fate = curriculum.select(results, 4)
    carried = [result for result in results if fate[result.problem_id] is Fate.CARRIED]
    assert len(carried) == len(results) - 4
    draws = curriculum.draw(len(carried) + 2, step=1)
    assert len(draws) == 2  # every group was valid, so the expansion is one
    assert not {d.problem_id for d in draws} & {result.problem_id for result in carried}
    fresh = roll_out(draws, 1)
    curriculum.observe(fresh)
    with pytest.raises(ObservationError, match="carried over"):
        curriculum.select(fresh, 4)
    fate = curriculum.select([*carried, *fresh], 4)
    assert all(fate[result.problem_id] is not Fate.CARRIED for result in carried)


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


def test_hard_stage_stays_in_its_band() -> None:
    prior = {p.problem_id: p.prior_pass_rate for p in problems(600, graded=True)}
    curriculum = make("hard_stage", pass_rate_above=0.01, pass_rate_upto=0.1)
    for draws, _ in run(curriculum, range(10)):
        assert all(0.01 < (prior[draw.problem_id] or 0) <= 0.1 for draw in draws)
    with pytest.raises(SettingsError, match="found none among 60 problems \\(60 ungraded\\)"):
        make_curriculum("hard_stage", problems(60), group_size=8, seed=0)


def test_static_goes_from_easy_to_hard() -> None:
    prior = {p.problem_id: p.prior_pass_rate or 0 for p in problems(600, graded=True)}
    curriculum = make("static", pacing_steps=20, start_share=0.2)
    mean = [
        np.mean([prior[draw.problem_id] for draw in draws])
        for draws, _ in run(curriculum, range(25))
    ]
    easiest = sorted(prior.values())[-120:]
    assert mean[0] >= min(easiest)
    assert np.mean(mean[:5]) > np.mean(mean[8:13]) > np.mean(mean[20:])
    assert np.mean(mean[20:]) == pytest.approx(np.mean(list(prior.values())), abs=0.05)
    with pytest.raises(SettingsError, match="without any"):
        make_curriculum("static", problems(60), group_size=8, seed=0)


def test_predicted_expansion_comes_to_what_was_asked() -> None:
    curriculum = make("posterior", 3000)
    log = run(curriculum, range(30), num_groups=32)
    valid = [sum(f in (Fate.TRAINED, Fate.SURPLUS) for f in fate.values()) for _, fate in log[10:]]
    assert 28 <= np.mean(valid) <= 42


@pytest.mark.parametrize(
    ("ratios", "why"),
    [
        ({"math": 1}, "none for 'chart'"),
        ({"math": 1, "chart": 1, "ocr": 1}, "'ocr', of which there are no problems"),
        ({"math": 0, "chart": 0}, "only zeros"),
        ({"math": -1, "chart": 1}, "at least 0"),
        ({"math": float("nan"), "chart": 1}, "at least 0"),
        ({}, "together with"),
    ],
)
def test_bad_ratios_are_refused(ratios: dict[str, float], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make("rlcs", domains="fixed", domain_ratios=ratios)
    with pytest.raises(SettingsError, match="at most 1 / 2"):
        make("rlcs", domains="progress", domain_floor=0.6)


def test_tier_weights_move_with_their_schedule() -> None:
    """At first only easy problems are wanted, in the end only hard ones."""
    curriculum = make(
        "rlcs",
        3000,
        tier_weights=(0.0, 1.0, 0.0, 0.0, 0.0),
        tier_weights_end=(0.0, 0.0, 0.0, 1.0, 0.0),
        schedule_steps=20,
        exploration=0.0,
    )
    tiers = [Counter(draw.tier for draw in draws) for draws, _ in run(curriculum, range(24))]
    assert tiers[0]["easy"] > 10 * tiers[0]["hard"]
    assert tiers[-1]["hard"] > 10 * tiers[-1]["easy"]


def test_predictions_are_calibrated() -> None:
    curriculum = make_curriculum("rlcs", problems(3000), group_size=8, seed=0)
    run(curriculum, range(40), num_groups=64)
    metrics = curriculum.metrics()
    assert metrics["brier"] < 0.95 * metrics["brier_baseline"]
    assert metrics["calibration_error"] < 0.05
    table = curriculum.reliability()
    assert sum(
        row.attempts for row in table if abs(row.predicted - row.observed) > 0.12
    ) < 0.1 * sum(row.attempts for row in table)
