"""The kinds, as they are put together."""

from collections import Counter

import numpy as np
import pytest
from worlds import assert_same_state, make, problems, roll_out, run

from curricula import Fate, GroupResult, SettingsError, make_curriculum
from curricula.plain import pack, unpack

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
            resumed.load_state_dict(unpack(pack(whole.state_dict())))
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
