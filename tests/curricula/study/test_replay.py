"""What a log says about other curricula, held against worlds where the truth is known."""

import dataclasses
from itertools import groupby

import numpy as np
import pytest
from worlds import GROUP_SIZE, chance, make, problems, roll_out

from curricula import Draw, GroupResult, ProblemSet, make_curriculum
from curricula.study.contender import Contender
from curricula.study.replay import Replay, logged, replay, replay_table
from curricula.study.run_log import Log, LoggedGroup

ROWS = problems(600, graded=True)


DOMAIN = {row.problem_id: row.domain for row in ROWS}


CATEGORY = {row.problem_id: row.category for row in ROWS}


def as_logged(draw: Draw, result: GroupResult) -> LoggedGroup:
    name = result.problem_id
    return LoggedGroup(
        result=result, domain=DOMAIN[name], category=CATEGORY[name], probability=draw.probability
    )


def log_of(kind: str, num_steps: int, num_groups: int = 30) -> Log:
    """A run of this kind."""
    curriculum = make(kind)
    steps = []
    for step in range(num_steps):
        groups: list[LoggedGroup] = []
        while draws := curriculum.draw(num_groups, step=step):
            results = roll_out(draws, step)
            curriculum.observe(results)
            groups += list(map(as_logged, draws, results))
        steps.append(groups)
    return Log(steps=steps, num_carried=0)


def reach_of_epochs(log: Log) -> list[float]:
    """By group, the share of all problems that its draw could reach: those its epoch had left."""
    reach = []
    seen: set[str] = set()
    for groups in log.steps:
        of_step = 0
        for _, draw in groupby(groups, key=lambda group: group.probability):
            names = {group.result.problem_id for group in draw}
            ends = len(seen) + len(names) >= len(ROWS)
            left = len(ROWS) - (of_step if ends else len(seen))
            reach += [left / len(ROWS)] * len(names)
            of_step += len(names)
            seen = seen & names if ends else seen | names
    return reach


def truth(kind: str, log: Log) -> float:
    """Share of valid groups of what `kind` would draw at each step, from the true pass rates."""
    curriculum = make_curriculum(kind, ROWS, group_size=GROUP_SIZE, seed=0)
    names = [row.problem_id for row in ROWS]
    rates = np.array([chance(name) for name in names])
    valid = 1 - rates**GROUP_SIZE - (1 - rates) ** GROUP_SIZE
    drawn = hits = 0.0
    for groups in log.steps:
        step = groups[0].result.step
        wanted = curriculum.chances(names, len(groups), step=step)
        assert wanted.sum() == pytest.approx(len(groups))
        drawn += wanted.sum()
        hits += (wanted * valid).sum()
        curriculum.follow([group.result.problem_id for group in groups], step=step)
        curriculum.observe([group.result for group in groups])
    return float(hits / drawn)


@pytest.mark.parametrize("by", ["uniform", "rlcs", "dapo"])
@pytest.mark.parametrize("asked", ["uniform", "rlcs", "posterior"])
def test_estimates_agree_with_the_truth(by: str, asked: str) -> None:
    log = log_of(by, 60)
    row = replay(
        Contender.parse(asked),
        log,
        ProblemSet.of(ROWS),
        group_size=GROUP_SIZE,
        in_epochs=by != "rlcs",
    )
    assert row.valid_share == pytest.approx(truth(asked, log), abs=1.5 * row.valid_interval)
    assert row.valid_interval < 0.12
    # A run by rlcs leaves the last step's problems aside, for which only uniform would ask.
    resting = {"uniform": 1 - len(log.steps[0]) / len(ROWS)}.get(asked, 1)
    reach = resting if by == "rlcs" else np.mean(reach_of_epochs(log))
    assert row.covered == pytest.approx(reach, abs=1.5 * row.covered_interval + 1e-9)
    assert row.covered_interval < 0.1
    assert sum(row.domains.values()) == pytest.approx(1)
    assert any("epochs" in remark for remark in row.remarks) is (by != "rlcs")


def replayed(kind: str, log: Log) -> Replay:
    """The log under a sampler, by the probabilities that it holds."""
    asked, problems = Contender.parse(kind), ProblemSet.of(ROWS)
    return replay(asked, log, problems, group_size=GROUP_SIZE, in_epochs=False)


def test_no_share_is_above_one_though_chance_takes_the_sum_there() -> None:
    # uniform draws 30 of 600, and the run happened to draw what it seldom draws
    steps = [
        [dataclasses.replace(group, probability=0.03 + 0.001 * at) for group in step]
        for at, step in enumerate(log_of("rlcs", 10).steps)
    ]
    lucky = Log(steps=steps, num_carried=0)
    row = replayed("uniform", lucky)
    assert row.covered == 1
    assert row.covered_interval > 0


def test_a_log_that_was_cut_knows_what_its_epoch_drew_before() -> None:
    log, asked = log_of("uniform", 50), Contender.parse("rlcs")
    reach = reach_of_epochs(log)
    for first in (25, 40):  # two epochs and a half went by; and two
        cut = Log(steps=log.steps[first:], num_carried=0, earlier=earlier_of(log, first))
        row = replay(asked, cut, ProblemSet.of(ROWS), group_size=GROUP_SIZE, in_epochs=True)
        within = np.mean(reach[first * len(log.steps[0]) :])
        assert row.covered == pytest.approx(within, abs=1.5 * row.covered_interval)


def earlier_of(log: Log, first: int) -> list[str]:
    """The problems that the epoch of the step `first` had drawn before."""
    names = [group.result.problem_id for step in log.steps[:first] for group in step]
    return names[len(names) - len(names) % len(ROWS) :]


def test_a_run_asked_about_itself_weighs_every_group_alike() -> None:
    log = log_of("rlcs", 20)
    row = replayed("rlcs", log)
    assert row.effective_groups == pytest.approx(len(log.groups))
    assert row.covered == pytest.approx(1)
    assert row.valid_share == pytest.approx(logged(log).valid_share)
    assert row.brier < 0.25
    assert replay_table([row]).splitlines()[1].startswith("rlcs")


def test_what_the_log_does_not_allow_is_said() -> None:
    log = log_of("hard_stage", 2, num_groups=8)
    plenty = replay(
        Contender.parse("uniform"),
        log,
        ProblemSet.of(ROWS),
        group_size=GROUP_SIZE,
        in_epochs=False,
    )
    assert plenty.covered < 0.5
    assert any("out of the run's reach" in remark for remark in plenty.remarks)
    assert any("effective groups only" in remark for remark in plenty.remarks)
    unknown = replay(
        Contender.parse("posterior thompson=true"),
        log,
        None,
        group_size=GROUP_SIZE,
        in_epochs=False,
    )
    assert np.isnan(unknown.covered)
    assert any("Thompson" in remark for remark in unknown.remarks)


def test_without_draw_probabilities_only_the_predictions_are_judged() -> None:
    log = log_of("rlcs", 3)
    bare = Log(
        steps=[
            [
                LoggedGroup(
                    result=group.result, domain=group.domain, category="", probability=float("nan")
                )
                for group in step
            ]
            for step in log.steps
        ],
        num_carried=0,
    )
    row = replay(Contender.parse("rlcs"), bare, None, group_size=GROUP_SIZE, in_epochs=False)
    assert np.isnan(row.valid_share)
    assert row.effective_groups == 0
    assert 0 < row.brier < 1
    assert any("no draw probability" in remark for remark in row.remarks)
    assert any("no estimate" in remark for remark in row.remarks)
    assert "nan" not in replay_table([row])
