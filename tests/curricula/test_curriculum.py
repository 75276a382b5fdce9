"""What every curriculum promises, of every kind."""

import gc
import math
import pickle
import types
from collections import Counter

import numpy as np
import pytest
from worlds import GROUP_SIZE, assert_same_state, make, problems, roll_out, run

from curricula import (
    SETTINGS,
    Fate,
    GroupResult,
    ObservationError,
    ProblemSet,
    SettingsError,
    UnknownProblemError,
    make_curriculum,
)
from curricula.plain import pack, unpack

KINDS = sorted(SETTINGS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error_rate", [0.0, 0.5], ids=["no errors", "half are errors"])
def test_every_drawn_problem_is_accounted_for(kind: str, error_rate: float) -> None:
    curriculum = make(kind)
    num_drawn = 0
    for drawn, fate in run(curriculum, range(20), error_rate=error_rate):
        assert len({draw.problem_id for draw in drawn}) == len(drawn), "twice in a step"
        assert set(fate) == {draw.problem_id for draw in drawn}
        assert sum(each is Fate.TRAINED for each in fate.values()) <= 16
        num_drawn += len(drawn)
    metrics = curriculum.metrics()
    assert metrics["num_drawn"] == metrics["num_observed"] == num_drawn
    assert sum(v for name, v in metrics.items() if name.startswith("num_fate_")) == num_drawn
    assert metrics["num_awaited"] == metrics["num_undrawn_results"] == 0
    assert sum(v for name, v in metrics.items() if name.startswith("tier/")) == pytest.approx(1)
    assert all(type(value) is float and math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("kind", KINDS)
def test_resume_draws_the_same(kind: str) -> None:
    whole = make(kind)
    run(whole, range(12))
    saved = unpack(pack(whole.state_dict()))
    # The same problems in another order and another seed: the state decides alone.
    resumed = make_curriculum(
        kind, problems(600, graded=True)[::-1], group_size=GROUP_SIZE, seed=77
    )
    run(resumed, range(3))
    resumed.load_state_dict(saved)
    assert_same_state(resumed.state_dict(), saved)
    assert run(resumed, range(12, 20)) == run(whole, range(12, 20))
    assert_same_state(resumed.state_dict(), whole.state_dict())
    assert resumed.metrics() == whole.metrics()


@pytest.mark.parametrize("kind", KINDS)
def test_resume_in_the_middle_of_a_step(kind: str) -> None:
    whole = make(kind)
    run(whole, range(4))
    draws = whole.draw(16, step=4)
    resumed = make(kind, seed=5)
    resumed.load_state_dict(whole.state_dict())
    for curriculum in (whole, resumed):
        curriculum.observe(roll_out(draws, 4))
    assert whole.draw(16, step=4) == resumed.draw(16, step=4)
    assert run(whole, range(5, 8)) == run(resumed, range(5, 8))


FREQUENCIES = [
    *((kind, {}) for kind in KINDS),
    ("rlcs", {"domains": "fixed", "domain_ratios": {"math": 3, "chart": 1}}),
    ("rlcs", {"retire_evidence": 8.0, "retest_after": 5, "retest_share": 0.3}),
    ("posterior", {"min_gap": 4, "exploration": 0.5}),  # so long a gap leaves few to choose from
]


@pytest.mark.parametrize(
    ("kind", "settings"), FREQUENCIES, ids=lambda each: each if isinstance(each, str) else len(each)
)
def test_probabilities_sum_to_one_a_draw_and_are_matched_by_frequencies(
    kind: str, settings: dict[str, object]
) -> None:
    """From one state, many futures: how often each problem comes is its probability."""
    num, rounds = 60, 1500
    curriculum = make(kind, num, **settings)
    run(curriculum, range(6), num_groups=8)
    state = curriculum.state_dict()
    hits: Counter[str] = Counter()
    named: dict[str, set[float]] = {}
    for seed in range(rounds):
        # What is unknown: the generator's next numbers, or the order of the epoch's shuffle.
        unknown = {"rng": np.random.PCG64(seed).state}
        if kind in EPOCHS:
            unknown["chooser"] = {"cursor": 0, "seed": seed}
        curriculum.load_state_dict(state | unknown)
        draws = curriculum.draw(8, step=6)
        for draw in draws:
            hits[draw.problem_id] += 1
            named.setdefault(draw.problem_id, set()).add(round(draw.probability, 12))
    assert all(len(values) == 1 for values in named.values())
    probability = {name: values.pop() for name, values in named.items()}
    num_draws = sum(hits.values()) / rounds
    assert sum(probability.values()) / num_draws == pytest.approx(1, abs=0.05)
    for name, expected in probability.items():
        error = 5 * math.sqrt(expected * (1 - expected) / rounds) + 1e-9
        assert abs(hits[name] / rounds - expected) <= error, name


EPOCHS = {"uniform", "dapo"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num", [1, 3, 10])
def test_fewer_problems_than_asked_for(kind: str, num: int) -> None:
    # One problem alone is not in the usual band of the hard stage.
    curriculum = make(kind, num, **({"pass_rate_upto": 1.0} if kind == "hard_stage" else {}))
    for step in range(5):
        first = curriculum.draw(16, step=step)
        assert 1 <= len({draw.problem_id for draw in first}) == len(first) <= num
        curriculum.observe(roll_out(first, step))
    assert curriculum.metrics()["num_missing_draws"] > 0


def test_what_is_known_does_not_depend_on_how_a_step_is_observed() -> None:
    """All groups at once, or one by one as other trainers may do."""
    whole, parts = (make("rlcs", domains="progress") for _ in range(2))
    for step in range(6):
        draws = whole.draw(16, step=step)
        results = roll_out(draws, step)
        assert parts.draw(16, step=step) == draws
        whole.observe(results)
        for result in results:
            parts.observe([result])
        one, other = whole.metrics(), parts.metrics()
        for name in ("expansion_ratio", "valid_rate", "num_observed", "num_valid", "solved"):
            assert one[name] == other[name], name
        # Later groups of a step are predicted with those before them learned.
        assert other["brier"] == pytest.approx(one["brier"], abs=0.03)
        parts.load_state_dict(whole.state_dict())


def test_a_draw_repeated_before_its_result_came_is_counted() -> None:
    curriculum = make("uniform", 10)
    for step in range(3):
        curriculum.draw(10, step=step)
    metrics = curriculum.metrics()
    assert metrics["num_drawn"] == 30
    assert metrics["num_awaited"] == 10
    assert metrics["num_unanswered_draws"] == 20


def test_a_dead_verifier_does_not_look_like_a_hard_domain() -> None:
    curriculum = make("rlcs")
    before = curriculum.metrics()
    draws = curriculum.draw(16, step=0)
    curriculum.observe([GroupResult(d.problem_id, 0, 0, 0, 8) for d in draws])
    after = curriculum.metrics()
    assert after["num_errored"] == len(draws)
    assert after["unseen"] == before["unseen"] == 1
    assert after["expansion_ratio"] == before["expansion_ratio"]


BAD_RESULTS = [
    (GroupResult("p1", 0, -1, 8, 0), ObservationError, "0 <= passes"),
    (GroupResult("p1", 0, 9, 8, 0), ObservationError, "passes <= attempts"),
    (GroupResult("p1", 0, 1, 8, -1), ObservationError, "0 <= errors"),
    (GroupResult("p1", -1, 1, 8, 0), ObservationError, "0 <= step"),
    (GroupResult("p1", 0, float("nan"), 8, 0), ObservationError, "whole numbers"),  # type: ignore[arg-type]
    (GroupResult("p1", 0, 1.5, 8, 0), ObservationError, "whole numbers"),  # type: ignore[arg-type]
    (GroupResult("p1", 0, None, 8, 0), ObservationError, "whole numbers"),  # type: ignore[arg-type]
    (GroupResult("p1", 0, 1, 2**70, 0), ObservationError, "whole numbers below 2"),
    (GroupResult("p1", 2**40, 1, 8, 0), ObservationError, "none of them above"),
    (GroupResult("p1", 0, 0, 0, 0), ObservationError, "at least one completion"),
    (GroupResult("foreign", 0, 1, 8, 0), UnknownProblemError, "'foreign'"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("result", "error", "why"), BAD_RESULTS, ids=lambda x: str(x)[:40])
def test_bad_results_are_refused_and_nothing_is_learned(
    kind: str, result: GroupResult, error: type[ValueError], why: str
) -> None:
    curriculum = make(kind)
    before = curriculum.state_dict()
    good = GroupResult("p0", 0, 4, 8, 0)
    with pytest.raises(error, match=why):
        curriculum.observe([good, result])
    with pytest.raises(error, match=why):
        curriculum.select([good, result], 1)
    assert_same_state(curriculum.state_dict(), before)


def test_one_problem_twice_in_a_call_is_refused() -> None:
    with pytest.raises(ObservationError, match="two of 'p0'"):
        make("rlcs").observe([GroupResult("p0", 0, 4, 8, 0)] * 2)


def test_results_that_were_not_drawn_are_counted() -> None:
    curriculum = make("rlcs")
    curriculum.observe([GroupResult("p0", 0, 4, 8, 0)])
    assert curriculum.metrics()["num_undrawn_results"] == 1


@pytest.mark.parametrize("num_groups", [0, -1, 1.5, float("nan"), None, "8"])
def test_bad_numbers_of_groups_are_refused(num_groups: object) -> None:
    curriculum = make("rlcs")
    with pytest.raises(SettingsError, match="num_groups as a whole number"):
        curriculum.draw(num_groups, step=0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="num_groups as a whole number"):
        curriculum.select([], num_groups)  # type: ignore[arg-type]


def test_memory_is_what_is_reported() -> None:
    """Every array that can be reached from a curriculum, counted once."""
    num = 50_000
    rows = problems(num)
    texts = ProblemSet(
        [row.problem_id for row in rows],
        [row.domain for row in rows],
        [row.category for row in rows],
        contents=[row.category for row in rows],
    )
    curriculum = make_curriculum("rlcs", texts, group_size=8, seed=0)
    del texts
    open_, seen, total = [curriculum], set(), 0
    while open_:
        each = open_.pop()
        if id(each) in seen or isinstance(each, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(each))
        if isinstance(each, np.ndarray):
            total += each.nbytes if each.base is None else 0
        elif isinstance(each, str | bytes):
            total += len(each)
        open_ += gc.get_referents(each) + ([each.base] if isinstance(each, np.ndarray) else [])
    assert total / num < 40
    assert total == pytest.approx(curriculum.num_bytes, rel=0.05)


def test_steps_do_not_go_backwards() -> None:
    curriculum = make("rlcs")
    curriculum.draw(4, step=3)
    with pytest.raises(SettingsError, match="at least 3, found 2"):
        curriculum.draw(4, step=2)


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


def test_a_state_is_small_while_little_was_seen() -> None:
    sizes = []
    for num in (2000, 20000):
        curriculum = make("rlcs", num)
        run(curriculum, range(5))
        sizes.append(len(pickle.dumps(curriculum.state_dict())))
    assert sizes[1] < 1.5 * sizes[0]


def test_state_is_a_copy() -> None:
    curriculum = make("rlcs")
    run(curriculum, range(3))
    state = curriculum.state_dict()
    kept = pickle.dumps(state)
    run(curriculum, range(3, 6))
    assert pickle.dumps(state) == kept
    other = make("rlcs")
    other.load_state_dict(state)
    run(other, range(3, 6))
    assert pickle.dumps(state) == kept


@pytest.mark.parametrize("kind", ["rlcs", "posterior", "hard_stage", "static", "uniform"])
def test_chances_are_those_of_the_draw(kind: str) -> None:
    """What `chances` promises is what `draw` says of every problem it returns."""
    drawing, asked = make(kind), make(kind)
    for step in range(4):
        draws = drawing.draw(20, step=step)
        names = [draw.problem_id for draw in draws]
        promised = asked.chances(names, len(draws), step=step)
        assert promised == pytest.approx([draw.probability for draw in draws])
        asked.follow(names, step=step)
        for curriculum in (drawing, asked):
            curriculum.observe(roll_out(draws, step))
    if kind not in ("uniform", "static"):
        assert asked.chances(names, 20, step=4).max() == 0  # they rest
    metrics = asked.metrics()
    assert metrics["num_drawn"] == metrics["num_observed"]
