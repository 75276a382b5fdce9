"""What every curriculum promises, of every kind."""

import gc
import math
import pickle
import re
import subprocess
import sys
import types
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from worlds import GROUP_SIZE, assert_same_state, make, problems, roll_out, run

import curricula
from curricula import (
    SETTINGS,
    CurriculumProblem,
    Fate,
    GroupResult,
    ObservationError,
    ProblemSet,
    SettingsError,
    UnknownProblemError,
    make_curriculum,
)

KINDS = sorted(SETTINGS)


def test_public_names() -> None:
    assert all(hasattr(curricula, name) for name in curricula.__all__)
    assert len(set(curricula.__all__)) == len(curricula.__all__)


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
    saved = pickle.loads(pickle.dumps(whole.state_dict()))
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


def test_inverse_probabilities_estimate_totals_under_thompson_sampling() -> None:
    """The probabilities are random themselves, yet 1 / probability sums to the problems there are.

    Only up to those that retired, re-tests of which are too rare to average out here.
    """
    curriculum = make("posterior", 60, thompson=True, retire_evidence=1000.0)
    run(curriculum, range(6), num_groups=8)
    state = curriculum.state_dict()
    totals = []
    for seed in range(1500):
        curriculum.load_state_dict(state | {"rng": np.random.PCG64(seed).state})
        totals.append(sum(1 / draw.probability for draw in curriculum.draw(8, step=6)))
    num_resting = len(state["recent"][5])  # the least gap is one step
    assert np.mean(totals) == pytest.approx(60 - num_resting, rel=0.06)


def test_uniform_visits_every_problem_once_an_epoch() -> None:
    curriculum = make("uniform", 50)
    for _ in range(3):
        seen = [d.problem_id for s in range(5) for d in curriculum.draw(10, step=s + _ * 5)]
        assert len(set(seen)) == 50


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


def test_least_gap_holds_and_is_given_up_visibly() -> None:
    roomy = make("rlcs", 600, min_gap=3)
    last: dict[str, int] = {}
    for step, (drawn, _) in enumerate(run(roomy, range(20))):
        assert all(step - last.get(draw.problem_id, -9) > 3 for draw in drawn)
        last.update({draw.problem_id: step for draw in drawn})
    assert roomy.metrics()["num_relaxed_draws"] == 0
    narrow = make("rlcs", 40, min_gap=3)
    run(narrow, range(5))
    assert narrow.metrics()["num_relaxed_draws"] > 0


def test_rlcs_draws_what_can_be_learned_from() -> None:
    """Six categories, of which the middle two are neither nearly solved nor nearly hopeless."""
    shares = {}
    for kind in ("rlcs", "uniform"):
        log = run(make_curriculum(kind, problems(6000), group_size=8, seed=3), range(15), 32)
        late = [fate for drawn, fates in log[5:] for fate in fates.values()]
        shares[kind] = 1 - sum(fate is Fate.INVALID for fate in late) / len(late)
    assert shares["rlcs"] > 1.4 * shares["uniform"]


def test_weights_follow_what_was_observed() -> None:
    """The more groups of a category were valid, the likelier its unseen problems are drawn."""
    before = None
    for num_valid in (0, 2, 4, 8):
        curriculum = make_curriculum("rlcs", problems(600), group_size=8, seed=0)
        names = [f"p{6 * i + 2}" for i in range(8)]  # all of category c2
        curriculum.observe(
            [GroupResult(name, 0, 4 * (i < num_valid), 8, 0) for i, name in enumerate(names)]
        )
        curriculum.draw(1, step=0)
        draws = curriculum.draw(20, step=1)
        by_category: dict[int, float] = {}
        for draw in draws:
            if draw.problem_id not in names:
                by_category[int(draw.problem_id[1:]) % 6] = draw.probability
        chance = by_category[2] / by_category[3]  # c3 was not observed
        assert before is None or chance > before
        before = chance


def test_retirement_and_re_test() -> None:
    curriculum = make_curriculum(
        "rlcs", problems(60), group_size=8, seed=0, retest_after=5, retest_share=0.5, min_gap=0
    )
    every = [problem.problem_id for problem in problems(60)]
    for step in range(3):
        curriculum.observe(
            [GroupResult(n, step, 8 * (i < 20), 8, 0) for i, n in enumerate(every[:40])]
        )
    assert curriculum.metrics()["solved"] == 20
    assert curriculum.metrics()["hopeless"] == 20
    tested: Counter[str] = Counter()
    for step in range(3, 43):
        draws = curriculum.draw(2, step=step)  # expanded to 8: nothing was valid so far
        tested.update(draw.problem_id for draw in draws)
    share = sum(tested[name] for name in every[:40]) / sum(tested.values())
    assert 0.4 < share <= 0.55  # 40 every 5 steps are 8 a step, of which half is allowed
    curriculum.observe([GroupResult("p0", 60, 4, 8, 0)])
    assert curriculum.metrics()["solved"] == 19


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


def test_a_step_without_any_valid_group_is_survived() -> None:
    curriculum = make("rlcs", expansion_cap=4.0)
    for step in range(3):
        draws = curriculum.draw(10, step=step)
        curriculum.observe([GroupResult(d.problem_id, step, 0, 8, 0) for d in draws])
        assert curriculum.metrics()["valid_rate"] == 0
        assert curriculum.metrics()["expansion_ratio"] == 4
    assert len(curriculum.draw(10, step=3)) == 40
    assert curriculum.metrics()["steps_without_valid"] == 3


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


def test_late_results_weigh_less_than_fresh_ones() -> None:
    fresh, late = make("rlcs", 60), make("rlcs", 60)
    index = fresh._ids.find(["p0"])
    for curriculum, steps in ((fresh, (0, 40)), (late, (40, 0))):
        for step, passes in zip(steps, (8, 0) if steps[0] == 0 else (0, 8), strict=True):
            curriculum.observe([GroupResult("p0", step, passes, 8, 0)])
    for name in ("passes", "failures", "last_step"):
        assert getattr(fresh._history, name)[index] == getattr(late._history, name)[index]


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("nope", {}, "rlcs, "),
        ("rlcs", {"nope": 1}, "tier_weights"),
        ("rlcs", {"exploration": float("nan")}, "exploration between 0 and 1"),
        ("rlcs", {"exploration": 1.5}, "exploration between 0 and 1"),
        ("rlcs", {"tier_weights": (1.0,)}, "expected 5 tier_weights"),
        ("rlcs", {"boundaries": (0.1, 0.9, 0.5, 0.2)}, "falling"),
        ("uniform", {"tiers": ("a",)}, "2 to 20"),
    ],
)
def test_bad_settings_are_refused(kind: str, settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make(kind, **settings)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prior_pass_rate": 1.2}, "prior pass rates in \\[0, 1\\]"),
        ({"prior_pass_rate": float("nan")}, "None for an ungraded problem, found NaN"),
        ({"domain": ""}, "name as domain"),
        ({"problem_id": ""}, "empty"),
    ],
)
def test_bad_problems_are_refused(row: dict[str, object], why: str) -> None:
    usual = {"problem_id": "a", "domain": "d", "category": "c"}
    with pytest.raises(SettingsError, match=why):
        make_curriculum("rlcs", [CurriculumProblem(**(usual | row))], group_size=8, seed=0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="at least one problem"):
        make_curriculum("rlcs", [], group_size=8, seed=0)
    with pytest.raises(SettingsError, match="group_size"):
        make_curriculum("rlcs", problems(3), group_size=1, seed=0)
    with pytest.raises(SettingsError, match="one entry a problem"):
        ProblemSet(["a", "b"], ["d"], ["c", "c"])


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


def test_importing_curricula_needs_numpy_alone() -> None:
    code = (
        "import sys, curricula, curricula.study.simulation, curricula.study.replay; "
        "import curricula.study.plots; "
        "heavy = ('torch', 'trl', 'datasets', 'pyarrow', 'matplotlib', 'scipy', 'pydantic'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_steps_do_not_go_backwards() -> None:
    curriculum = make("rlcs")
    curriculum.draw(4, step=3)
    with pytest.raises(SettingsError, match="at least 3, found 2"):
        curriculum.draw(4, step=2)


def test_the_example_of_the_readme_runs() -> None:
    text = (Path(curricula.__file__).parent / "README.md").read_text()
    pictures = re.findall(r"\]\((pictures/[a-z_]+\.png)\)", text)
    sizes = [(Path(curricula.__file__).parent / name).stat().st_size for name in pictures]
    assert len(sizes) == 14
    assert max(sizes) < 60_000
    example = text.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(example, names)
    assert len(names["train_on"]) == 32  # type: ignore[arg-type]
