"""What a log says about other curricula, held against worlds where the truth is known."""

import numpy as np
import pytest
from worlds import GROUP_SIZE, chance, make, problems, roll_out

from curricula import Draw, GroupResult, ProblemSet, make_curriculum
from curricula.study.contender import Contender
from curricula.study.replay import logged, replay, replay_table
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
        groups = []
        while draws := curriculum.draw(num_groups, step=step):
            results = roll_out(draws, step)
            curriculum.observe(results)
            groups += list(map(as_logged, draws, results))
        steps.append(groups)
    return Log(steps=steps, num_carried=0)


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


@pytest.mark.parametrize("by", ["uniform", "rlcs"])
@pytest.mark.parametrize("asked", ["uniform", "rlcs", "posterior"])
def test_estimates_agree_with_the_truth(by: str, asked: str) -> None:
    log = log_of(by, 60)
    row = replay(
        Contender.parse(asked),
        log,
        ProblemSet.of(ROWS),
        group_size=GROUP_SIZE,
        in_epochs=by == "uniform",
    )
    assert row.valid_share == pytest.approx(truth(asked, log), abs=1.5 * row.valid_interval)
    assert row.valid_interval < 0.12
    # Over an epoch, half of the problems have been drawn already, on average.
    assert row.covered == pytest.approx(0.55 if by == "uniform" else 1, abs=0.15)
    assert sum(row.domains.values()) == pytest.approx(1)
    assert any("epochs" in remark for remark in row.remarks) is (by == "uniform")


def test_a_run_asked_about_itself_weighs_every_group_alike() -> None:
    log = log_of("rlcs", 20)
    row = replay(
        Contender.parse("rlcs"),
        log,
        ProblemSet.of(ROWS),
        group_size=GROUP_SIZE,
        in_epochs=False,
    )
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
