"""What the views say, on runs made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import (
    HOSTILE,
    completion,
    group,
    make_run,
    open_run,
    problem_row,
    step_row,
    write_run,
)

from rlcs.insight import (
    Runs,
    alarms,
    detective,
    learned,
    overview,
    problem,
    problems,
    river,
    system,
    verifiers,
    waste,
)
from rlcs.insight.marks import Mark, predicted, targets
from rlcs.learner.advantages import group_advantages


def test_the_ledger_accounts_for_every_token(tmp_path: Path) -> None:
    rows = [
        group(1, "a", 2, "trained"),
        group(1, "b", 4, "invalid"),
        group(1, "c", 0, "invalid"),
        group(2, "d", 2, "surplus"),
        group(2, "e", 0, "errored", attempts=0, errors=4),
        group(2, "f", 3, "carried"),
    ]
    write_run(tmp_path / "a", groups=rows)
    found = waste.ledger(open_run(tmp_path / "a", tmp_path / "cache"), price=3600.0)
    assert {row["reason"]: row["tokens"] for row in found} == {
        **dict.fromkeys(("trained on", "all right", "all wrong", "surplus", "errored"), 40),
        "carried": 40,
    }
    # Each group has the tokens of its whole step, whose rollout took 2 s.
    assert {row["money"] for row in found} == {2.0}


def test_shares_of_the_river_sum_to_one(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=8)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    for found in (river.pool(run), river.drawn(run)):
        total = sum(values for name, values in found.items() if name != "step")
        assert np.allclose(total, 1.0)
    flow = river.flow(run)
    again = run.store.value("SELECT count(*) FROM visits WHERE visit > 1")
    assert sum(row["draws"] for row in flow) == again


def test_what_was_never_drawn_is_in_the_table(tmp_path: Path) -> None:
    write_run(
        tmp_path / "a",
        groups=[group(1, "a", 2, "trained")],
        problems=[problem_row("a"), problem_row("b"), problem_row("h", split="heldout")],
    )
    page = problems.page(open_run(tmp_path / "a", tmp_path / "cache"))
    assert {row["problem_id"]: row["draws"] for row in page.rows} == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"search": "APPLE"}, ["a"], id="search without regard to case"),
        pytest.param({"search": "%"}, [], id="no wildcard in a search"),
        pytest.param({"search": "' OR 1=1 --"}, [], id="no query in a search"),
        pytest.param({"sort": [{"colId": "pass_rate", "sort": "desc"}]}, ["b", "a"], id="sorted"),
        pytest.param(
            {"sort": [{"colId": "pass_rate; DROP TABLE visits", "sort": "desc"}]},
            ["a", "b"],
            id="a column that is none",
        ),
        pytest.param(
            {"filters": {"pass_rate": {"type": "greaterThan", "filter": 0.6}}}, ["b"], id="number"
        ),
        pytest.param(
            {"filters": {"category": {"type": "contains", "filter": "SUM"}}},
            ["a", "b"],
            id="text",
        ),
        pytest.param(
            {"filters": {"1=1 OR x": {"type": "contains", "filter": ""}}},
            ["a", "b"],
            id="a filter of no column",
        ),
        pytest.param(
            {"filters": {"pass_rate": {"type": "; DROP", "filter": 1}}},
            ["a", "b"],
            id="a comparison that is none",
        ),
        pytest.param({"start": 1, "count": 1}, ["b"], id="the second page"),
    ],
)
def test_the_table_of_problems(tmp_path: Path, asked: dict[str, Any], expected: list[str]) -> None:
    write_run(
        tmp_path / "a",
        groups=[group(1, "a", 2, "trained"), group(1, "b", 3, "trained")],
        problems=[problem_row("a", question="An apple?"), problem_row("b", question="A pear?")],
    )
    page = problems.page(open_run(tmp_path / "a", tmp_path / "cache"), **asked)
    assert [row["problem_id"] for row in page.rows] == expected


def test_one_problem_has_its_text_and_completions(tmp_path: Path) -> None:
    made = [completion(HOSTILE, 0, passed=True), completion(HOSTILE, 1), completion("b", 0)]
    write_run(
        tmp_path / "a",
        groups=[group(1, HOSTILE, 1, "trained"), group(1, "b", 0, "invalid")],
        completions={1: made},
        problems=[problem_row("b"), problem_row(HOSTILE, question="Which?")],
    )
    run = open_run(tmp_path / "a", tmp_path / "cache")
    found = problem.problem(run, HOSTILE)
    assert (found.messages, found.reference) == ((("user", "Which?"),), "2")
    rows = problem.completions(run, HOSTILE, 1)
    assert [(row["index"], row["thinking"], row["answer"]) for row in rows] == [
        (0, "well", "0"),
        (1, "well", "1"),
    ]


@pytest.mark.parametrize("baseline", ["mean", "leave_one_out"])
@pytest.mark.parametrize("normalise", [True, False])
def test_advantages_are_those_of_the_learner(
    tmp_path: Path, baseline: str, normalise: bool
) -> None:
    rewards = [1.0, 0.0, None, 0.5]
    made = [completion("a", index, reward=reward) for index, reward in enumerate(rewards)]
    write_run(tmp_path / "a", groups=[group(1, "a", 1, "trained")], completions={1: made})
    (tmp_path / "a" / "config.resolved.yaml").write_text(
        f"learner: {{baseline: {baseline}, normalise_advantages: {str(normalise).lower()}}}\n"
    )
    rows = problem.completions(open_run(tmp_path / "a", tmp_path / "cache"), "a", 1)
    found = [np.nan if row["advantage"] is None else row["advantage"] for row in rows]
    given = np.array([np.nan if reward is None else reward for reward in rewards])
    expected = group_advantages(given, normalise=normalise, baseline=baseline)
    np.testing.assert_array_equal(found, expected)


def test_the_posterior_ages_its_evidence(tmp_path: Path) -> None:
    write_run(tmp_path / "a", groups=[group(1, "a", 4, "invalid"), group(3, "a", 0, "invalid")])
    (tmp_path / "a" / "config.resolved.yaml").write_text(
        "curriculum: {discount: 0.5, prior_strength: 2.0}\n"
    )
    found = problem.posterior(open_run(tmp_path / "a", tmp_path / "cache"), "a")
    # The category's rate is 1 after step 1 and 1/2 after step 3; two steps leave 4 * 1/4 passes.
    np.testing.assert_allclose(found.mean, [6 / 6, (2 * 0.5 + 1) / (2 + 1 + 4)])
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()


CAUSES = [
    pytest.param({"outcome": "error", "reward": None}, {"attempts": 0, "errors": 4},
                 "judging fails", id="errors"),
    pytest.param({"finish_reason": "length", "extracted": None}, {}, "out of tokens", id="length"),
    pytest.param({"outcome": "no_answer", "extracted": None}, {}, "no readable answer", id="none"),
    pytest.param({"extracted": "7"}, {}, "agreed on another answer", id="agree"),
    pytest.param({"extracted": " 2 "}, {}, "answered as the reference", id="the reference itself"),
    pytest.param({}, {}, "out of reach", id="each another"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "counts", "cause"), CAUSES)
def test_the_likely_cause_of_a_problem_never_solved(
    tmp_path: Path, answers: dict[str, Any], counts: dict[str, Any], cause: str
) -> None:
    write_run(
        tmp_path / "a",
        groups=[group(1, "a", 0, "invalid", **counts)],
        completions={1: [completion("a", index, **answers) for index in range(4)]},
        problems=[problem_row("a")],
    )
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert [row["cause"] for row in detective.never_solved(run)] == [cause]
    assert [row["cause"] for row in detective.never_solved(run, cause)] == [cause]
    assert [row["cause"] for row in detective.causes(run)] == [cause]


SUSPECTS = [
    pytest.param({"completion_tokens": 2}, ["short and rewarded"], id="short"),
    pytest.param({"text": "again and " * 200}, ["repeats itself"], id="repeats"),
    pytest.param({"text": "the result 结果"}, ["mixes scripts"], id="scripts"),
    pytest.param({"text": "the result"}, [], id="nothing"),
]


@pytest.mark.parametrize(("odd", "kinds"), SUSPECTS)
def test_suspicious_completions(tmp_path: Path, odd: dict[str, Any], kinds: list[str]) -> None:
    made = [completion("a", index, passed=True) for index in range(3)]
    made.append(completion("a", 3, passed=True, **odd))
    write_run(tmp_path / "a", groups=[group(1, "a", 4, "invalid")], completions={1: made})
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert [row["kind"] for row in detective.suspicious(run)] == kinds


def test_what_was_learned_and_lost(tmp_path: Path) -> None:
    rows = [
        *(group(1, "late", 0, "invalid"), group(2, "late", 1, "trained")),
        *(group(1, "lost", 4, "invalid"), group(3, "lost", 1, "trained")),
        group(1, "kept", 4, "invalid"),
    ]
    write_run(tmp_path / "a", groups=rows)
    run = open_run(tmp_path / "a", tmp_path / "cache")
    assert [row["problem_id"] for row in learned.newly_solved(run)] == ["late"]
    assert [row["problem_id"] for row in learned.lost(run)] == ["lost"]
    assert [(row["problem_id"], row["ago"]) for row in learned.due(run)] == [("kept", 2)]
    assert learned.course(run)["solved"].tolist() == [2, 3]


def test_verifiers_by_domain(tmp_path: Path) -> None:
    made = [completion("a", 0, passed=True), completion("a", 1, outcome="timeout", reward=None,
                                                        verifier_seconds=1.0)]  # fmt: skip
    write_run(tmp_path / "a", groups=[group(1, "a", 1, "trained")], completions={1: made})
    run = open_run(tmp_path / "a", tmp_path / "cache")
    (row,) = verifiers.outcomes(run)
    assert (row["domain"], row["correct"], row["timeout"]) == ("math", 0.5, 0.5)
    (latency,) = verifiers.latency(run)
    assert latency["max"] == 1.0
    assert verifiers.failures(run)["domain/math"].tolist() == [0.5]


def test_every_evaluation_is_there(tmp_path: Path) -> None:
    write_run(tmp_path / "a", groups=[group(1, "a", 1, "trained")])
    measured = [(5, 0.4, 100), (0, 0.2, 100), (5, 0.5, 100), (6, None, 3)]
    rows = [
        {"step": step, "accuracy": accuracy, "problems": problems}
        for step, accuracy, problems in measured
    ]
    path = tmp_path / "a" / "log" / "evaluations.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "[half")
    found = overview.heldout(open_run(tmp_path / "a", tmp_path / "cache"))
    assert [(each.step, each.accuracy) for each in found] == [(0, 0.2), (5, 0.5)]
    # Wilson's interval of 50 of 100, as tables have it.
    assert found[1].low == pytest.approx(0.4038, abs=1e-4)
    assert found[1].high == pytest.approx(0.5962, abs=1e-4)


def test_alarms_say_from_when_to_when(tmp_path: Path) -> None:
    steps = [step_row(step, errors=4 if step in (3, 4) else 0) for step in range(1, 7)]
    write_run(tmp_path / "a", groups=[group(1, "a", 1, "trained")], steps=steps)
    found = alarms.alarms(open_run(tmp_path / "a", tmp_path / "cache"))
    assert [(alarm.kind, alarm.step, alarm.last_step, alarm.active) for alarm in found] == [
        ("verifier errors", 3, 4, False)
    ]


def test_configurations_that_differ_in_the_seed_alone_are_alike(tmp_path: Path) -> None:
    for name, seed, rate in (("a", 0, 1), ("b", 1, 1), ("c", 0, 2)):
        write_run(tmp_path / "runs" / name, groups=[group(1, "a", 1, "trained")])
        (tmp_path / "runs" / name / "config.resolved.yaml").write_text(
            f"run: {{name: {name}, seed: {seed}}}\nlearner: {{learning_rate: {rate}}}\n"
        )
    runs = Runs(tmp_path / "runs", cache=tmp_path / "cache")
    opened = [runs.run(name) for name in "abc"]
    assert sorted(overview.same_but_seed(opened).values()) == [["a", "b"], ["c"]]
    rows = overview.config_difference([opened[0], opened[2]])
    assert {row["key"] for row in rows} == {"run.name", "learner.learning_rate"}


def test_system_course(tmp_path: Path) -> None:
    make_run(tmp_path / "a", steps=3)
    found = system.course(open_run(tmp_path / "a", tmp_path / "cache"))
    assert found["step"].tolist() == [1, 2, 3]
    assert found["idle"].tolist() == [4 / 30] * 3


CLICK = {"action": "click", "bbox": [100, 200, 300, 400], "coord": "norm1000"}
BOXES = {"mode": "single", "boxes": [[10, 20, 30, 60]], "coord": "pixel", "image_size": [100, 200]}
MARKS = [
    pytest.param(CLICK, Mark(left=0.1, top=0.2, width=0.2, height=0.2), id="a click's box"),
    pytest.param(BOXES, Mark(left=0.1, top=0.1, width=0.2, height=0.2), id="pixels"),
]


@pytest.mark.parametrize(("reference", "mark"), MARKS)
def test_targets_stand_in_shares_of_the_picture(reference: dict[str, Any], mark: Mark) -> None:
    (found,) = targets(reference)
    np.testing.assert_allclose(
        [found.left, found.top, found.width, found.height],
        [mark.left, mark.top, mark.width, mark.height],
    )


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        pytest.param('{"action": "click", "point": [250, 500]}', CLICK, [(0.25, 0.5, 0, 0)],
                     id="click"),
        pytest.param("[20, 40, 50, 100]", BOXES, [(0.2, 0.2, 0.3, 0.3)], id="box"),
        pytest.param("[20, 40, 5000, 100]", BOXES, [], id="outside"),
        pytest.param(HOSTILE, CLICK, [], id="no action"),
        pytest.param("17", "17", [], id="no picture at all"),
    ],
)  # fmt: skip
def test_where_a_completion_pointed(answer: str, reference: Any, expected: list[Any]) -> None:
    found = predicted(answer, reference)
    assert [(m.left, m.top, round(m.width, 9), round(m.height, 9)) for m in found] == expected
