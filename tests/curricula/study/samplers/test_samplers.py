"""The published samplers against series computed by hand from the papers' formulas."""

import math
from typing import Any

import numpy as np
import pytest
from worlds import assert_same_state, problems, run

from curricula import CurriculumProblem, GroupResult, SamplingCurriculum, SettingsError
from curricula.plain import pack, unpack
from curricula.study.samplers import (
    STUDY_SETTINGS,
    any_settings,
    make_any_curriculum,
    make_study_curriculum,
)


def make(kind: str, rates: list[float | None] | None = None, **settings: object) -> Any:
    """Four problems a, b, c, d in two categories: a, b in x, and c, d in y."""
    rates = rates or [None] * 4
    rows = [
        CurriculumProblem(problem_id=name, domain="math", category=of, prior_pass_rate=rate)
        for name, of, rate in zip("abcd", "xxyy", rates, strict=True)
    ]
    return make_study_curriculum(f"study/{kind}", rows, group_size=8, seed=0, **settings)


def tell(curriculum: SamplingCurriculum, step: int, **passes: int) -> None:
    """Roll out these problems at a step: `a=3` for three passes of eight."""
    curriculum.follow(list(passes), step=step)
    curriculum.observe([GroupResult(name, step, count, 8, 0) for name, count in passes.items()])


def kept(curriculum: SamplingCurriculum, name: str) -> Any:
    return curriculum.state_dict()["chooser"][name]


def drawn(curriculum: SamplingCurriculum, num: int, step: int) -> list[str]:
    return sorted(draw.problem_id for draw in curriculum.draw(num, step=step))


def test_greso_skips_by_runs_of_uniform_groups() -> None:
    curriculum = make("greso")
    tell(curriculum, 0, a=8, b=0, c=4, d=8)
    # All passed: 2/4 >= 1/12, so easy .50 -> .49. All failed: 1/4 >= 1/6, so hard .50 -> .49.
    assert kept(curriculum, "explore").tolist() == pytest.approx([0.49, 0.49])
    tell(curriculum, 1, a=8, b=0, c=4, d=3)
    assert kept(curriculum, "explore").tolist() == pytest.approx([0.48, 0.48])
    assert kept(curriculum, "run").tolist() == [2, 2, 0, 0]
    tell(curriculum, 2, a=0, c=4)  # from passing to failing begins a new run
    assert kept(curriculum, "run").tolist() == [1, 2, 0, 0]
    assert kept(curriculum, "explore").tolist() == pytest.approx([0.49, 0.47])
    # Two of four by weights .47, .47^2, 1, 1: c and d would get 2 * 1 / 2.6909 each.
    weights = [0.47, 0.2209, 1.0, 1.0]
    chances = curriculum.chances(list("abcd"), 2, step=3)
    assert chances.tolist() == pytest.approx([2 * weight / sum(weights) for weight in weights])


def test_mopps_discounts_towards_the_prior_and_takes_samples_near_one_half() -> None:
    curriculum = make("mopps", memory=0.5)
    tell(curriculum, 0, a=6)
    tell(curriculum, 5, a=2, b=8)
    # alpha: 1 -> .5 + .5 + 6 = 7 -> 3.5 + .5 + 2 = 6; beta: 1 -> 3 -> 1.5 + .5 + 6 = 8.
    assert kept(curriculum, "alpha").tolist() == [6.0, 9.0, 1.0, 1.0]
    assert kept(curriculum, "beta").tolist() == [8.0, 1.0, 1.0, 1.0]
    assert curriculum.predict(["a", "b"], step=6).tolist() == pytest.approx([6 / 14, 0.9])
    for step in range(6, 30):
        tell(curriculum, step, b=8)
    often = sum("b" in drawn(curriculum, 2, step) for step in range(100, 150))
    assert often < 15, "its samples lie near one"


def test_kgps_filters_the_logit() -> None:
    curriculum = make("kgps", drift=0.1, prior_variance=4.0)
    tell(curriculum, 2, a=6)
    q = 6.5 / 9
    variance, noise = 4 + 2 * 0.1, 1 / (8 * q * (1 - q))
    mean = variance / (variance + noise) * math.log(q / (1 - q))
    variance = variance * noise / (variance + noise)
    assert kept(curriculum, "mean")[0] == pytest.approx(mean)
    assert kept(curriculum, "variance")[0] == pytest.approx(variance)
    ahead = variance + 3 * 0.1
    expected = 1 / (1 + math.exp(-mean / math.sqrt(1 + math.pi * ahead / 8)))
    assert curriculum.predict(["a", "b"], step=5).tolist() == pytest.approx([expected, 0.5])
    assert drawn(curriculum, 3, 5) == ["b", "c", "d"], "a lies farther from one half"


def test_dps_follows_a_hidden_markov_model() -> None:
    curriculum = make("dps", memory=0.5, misreading=0.2)
    curriculum.draw(1, step=0)
    tell(curriculum, 0, a=4)
    # Even belief, row-normalised counts 4/6 and 1/6; a group that looks partial: .1, .8, .1.
    assert kept(curriculum, "belief")[0].tolist() == pytest.approx([0.1, 0.8, 0.1])
    stay, go = 4 / 6, 1 / 6
    pairs = [
        [stay * 0.1, go * 0.8, go * 0.1],
        [go * 0.1, stay * 0.8, go * 0.1],
        [go * 0.1, go * 0.8, stay * 0.1],
    ]
    total = sum(map(sum, pairs))
    counts = [
        [(4 if j == k else 1) + pairs[j][k] / total for k in range(3)] for j in range(3)
    ]  # .5 of the old and .5 of the prior are the prior
    assert kept(curriculum, "counts")[0].tolist() == pytest.approx(np.array(counts))
    tell(curriculum, 0, b=0, c=8)
    assert drawn(curriculum, 2, 1) == ["a", "d"], "a was partial, d is unknown"
    partial = sum(
        belief * counts[j][1] / sum(counts[j]) for j, belief in enumerate((0.1, 0.8, 0.1))
    )
    assert kept(curriculum, "belief")[0][1] == pytest.approx(partial)


def test_adarft_moves_its_target() -> None:
    curriculum = make("adarft", rates=[1.0, 0.7, 0.4, 0.0])
    assert drawn(curriculum, 1, 0) == ["a"], "the easiest first"
    tell(curriculum, 0, a=8)
    first = 50 * math.tanh(2 * 0.5)
    assert kept(curriculum, "target")[0] == pytest.approx(first)
    assert drawn(curriculum, 2, 1) == ["b", "c"], f"difficulties 30 and 60 around {first:.0f}"
    tell(curriculum, 1, b=2, c=0)
    second = first + 50 * math.tanh(2 * (2 / 16 - 0.5))
    assert kept(curriculum, "target")[0] == pytest.approx(second)
    for step in range(2, 6):
        tell(curriculum, step, d=8)
    assert kept(curriculum, "target")[0] == 100.0


def test_sec_learns_values_of_categories() -> None:
    curriculum = make("sec", learning_rate=0.5, temperature=0.5)
    tell(curriculum, 0, a=4, b=8)  # of x: (1 + 0) / 2
    tell(curriculum, 1, a=2, c=0)  # of x: 2 sqrt(3 / 16); of y: 0
    value = 0.5 * (0.25 + 2 * math.sqrt(3) / 4)
    assert kept(curriculum, "value").tolist() == pytest.approx([value, 0.0])
    share = math.exp(value / 0.5) / (math.exp(value / 0.5) + 1)
    chances = curriculum.chances(list("abcd"), 1, step=2)
    assert chances.tolist() == pytest.approx(
        [share / 2, share / 2, 0.5 - share / 2, 0.5 - share / 2]
    )


def test_dump_is_an_upper_confidence_bound() -> None:
    curriculum = make("dump", window=2, temperature=1.0)
    tell(curriculum, 0, a=8)
    tell(curriculum, 1, a=4, c=2)
    tell(curriculum, 2, b=2)
    # x: the last two of 0, 1, sqrt(3)/2; 24 completions. y: sqrt(3)/2; 8. In all 32.
    bounds = [
        (1 + math.sqrt(3) / 2) / 2 + math.sqrt(2 * math.log(33) / 25),
        math.sqrt(3) / 2 + math.sqrt(2 * math.log(33) / 9),
    ]
    share = math.exp(bounds[0]) / sum(map(math.exp, bounds))
    assert curriculum.chances(["a"], 1, step=3)[0] == pytest.approx(share / 2)


def test_vcrl_replaces_groups_of_little_variance_from_its_bank() -> None:
    curriculum = make("vcrl", first_threshold=0.7, first_steps=10, momentum=0.5)
    tell(curriculum, 0, a=4, b=2, c=0)  # variances 1, 12/16, 0
    assert kept(curriculum, "priority").tolist() == [1.0, 0.75, -1.0, -1.0]
    tell(curriculum, 1, a=6)  # half of 1 and half of 12/16
    assert kept(curriculum, "priority")[0] == pytest.approx(0.875)
    tell(curriculum, 2, b=1)  # 7/16 is below
    assert kept(curriculum, "priority").tolist() == [0.875, -1.0, -1.0, -1.0]
    # At a step's first draw everything is alike; then as many as were removed, from the bank.
    first = curriculum.draw(2, step=3)
    assert len(first) == 2
    curriculum.observe([GroupResult(draw.problem_id, 3, 0, 8, 0) for draw in first])
    bank = {"a"} - {draw.problem_id for draw in first}
    assert {draw.problem_id for draw in curriculum.draw(2, step=3)} <= bank | set("bcd")
    assert curriculum.draw(2, step=3) == []


def test_prime_pools_weigh_by_the_last_mean() -> None:
    curriculum = make("prime_pools")
    tell(curriculum, 0, a=7, b=6, c=1)  # above .75 easy, .75 itself normal, below .25 hard
    chances = curriculum.chances(list("abcd"), 1, step=1)
    assert chances.tolist() == pytest.approx([0.2 / 2.4, 1 / 2.4, 0.2 / 2.4, 1 / 2.4])
    tell(curriculum, 1, a=4)
    assert curriculum.chances(["a"], 1, step=2)[0] == pytest.approx(1 / 3.2)


def test_lilo_rolls_out_several_and_trains_on_the_most_balanced() -> None:
    curriculum = make("lilo", candidates=2.0)
    draws = curriculum.draw(2, step=0)
    assert sorted(draw.problem_id for draw in draws) == list("abcd")
    results = [
        GroupResult(name, 0, count, 8, 0) for name, count in zip("abcd", (1, 4, 6, 8), strict=True)
    ]
    curriculum.observe(results)
    fates = curriculum.select(results, 2)
    assert sorted(name for name, fate in fates.items() if fate == "trained") == ["b", "c"]
    assert curriculum.draw(2, step=0) == []


def test_pilot_commit_lets_what_looks_useless_rest() -> None:
    curriculum = make("pilot_commit", evicted_for=5, deferred_for=2)
    assert curriculum.screening == 4
    tell(curriculum, 0, a=8, b=0, c=4, d=5)
    for step, free in ((1, "cd"), (2, "cd"), (3, "bcd"), (5, "bcd"), (6, "abcd")):
        chances = curriculum.chances(list("abcd"), 1, step=step)
        drawable = [name for name, chance in zip("abcd", chances, strict=True) if chance > 0]
        assert drawable == list(free), step


def test_speed_screens_shuffled_epochs_until_the_batch_is_full() -> None:
    curriculum = make("speed", screening=2)
    assert curriculum.screening == 2
    first = curriculum.draw(2, step=0)
    curriculum.observe([GroupResult(draw.problem_id, 0, 0, 2, 0) for draw in first])
    second = curriculum.draw(2, step=0)
    assert sorted(draw.problem_id for draw in first + second) == list("abcd")
    curriculum.observe([GroupResult(draw.problem_id, 0, 3, 8, 0) for draw in second])
    assert curriculum.draw(2, step=0) == []


@pytest.mark.parametrize("kind", sorted(STUDY_SETTINGS))
def test_every_sampler_counts_draws_and_goes_on_from_a_saved_state(kind: str) -> None:
    rows = problems(60, graded=True)
    one = make_any_curriculum(kind, rows, group_size=8, seed=3)
    run(one, range(6), num_groups=8)
    other = make_any_curriculum(kind, rows, group_size=8, seed=4)
    other.load_state_dict(unpack(pack(one.state_dict())))
    assert_same_state(one.state_dict(), other.state_dict())
    assert run(one, range(6, 9), num_groups=8) == run(other, range(6, 9), num_groups=8)
    numbers = one.metrics()
    fates = sum(value for name, value in numbers.items() if name.startswith("num_fate_"))
    assert numbers["num_drawn"] == fates + numbers["num_carried"]


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("study/moppz", {}, "Did you mean study/mopps"),
        ("study/mopps", {"memery": 0.5}, "Did you mean memory"),
        ("study/mopps", {"memory": 1.5}, "expected a number not below 0 and not above 1"),
        ("study/sec", {"temperature": 0}, "expected a number above 0"),
        ("study/speed", {"screening": True}, "expected a whole number"),
    ],
)
def test_settings_are_strict(kind: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        any_settings(kind, settings)


def test_a_product_kind_is_made_by_the_same_call() -> None:
    curriculum = make_any_curriculum("rlcs", problems(12), group_size=8, seed=0, carry_over=True)
    assert {draw.problem_id for draw in curriculum.draw(4, step=0)} <= {f"p{i}" for i in range(12)}
