"""Curricula compared on a simulated learner, in seconds, before a GPU is spent.

A curriculum that wins here has passed a plausibility check, no more: `learner` says what is
simulated and what is left out.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from curricula.contract import Curriculum, Fate, GroupResult
from curricula.factory import make_curriculum
from curricula.study.contender import Contender
from curricula.study.learner import SimulatedLearner, World


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One simulated run, step by step: completions generated so far, held-out accuracy."""

    completions: list[int]
    accuracy: list[float]
    trained_share: float
    """Share of the generated groups that were trained on."""
    brier: float

    def completions_until(self, accuracy: float) -> float:
        """Return the completions generated until this accuracy was reached; infinity if never."""
        reached = zip(self.completions, self.accuracy, strict=True)
        return next((spent for spent, got in reached if got >= accuracy), math.inf)


def simulate(
    contender: Contender,
    world: World,
    *,
    num_completions: int,
    num_groups: int = 32,
    group_size: int = 8,
    seed: int = 0,
) -> Course:
    """Train a simulated learner until `num_completions` have been generated, surplus included."""
    learner = SimulatedLearner(world, seed)
    curriculum: Curriculum = make_curriculum(
        contender.kind,
        learner.problems(),
        group_size=group_size,
        seed=seed,
        **contender.settings,
    )
    completions, accuracy, trained = [0], [learner.accuracy()], 0
    waiting: list[GroupResult] = []
    step = 0
    while completions[-1] < num_completions:
        results = waiting
        while draws := curriculum.draw(num_groups, step=step):
            rolled_out = learner.roll_out(draws, step, group_size)
            curriculum.observe(rolled_out)
            results = results + rolled_out
        fates = curriculum.select(results, num_groups)
        batch = [group for group in results if fates[group.problem_id] is Fate.TRAINED]
        generated = len(results) - len(waiting)
        waiting = [group for group in results if fates[group.problem_id] is Fate.CARRIED]
        learner.train(batch, num_groups)
        trained += len(batch)
        completions.append(completions[-1] + generated * group_size)
        accuracy.append(learner.accuracy())
        step += 1
    return Course(
        completions=completions,
        accuracy=accuracy,
        trained_share=trained * group_size / completions[-1],
        brier=curriculum.metrics()["brier"],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A contender against the baseline, over seeds: means and half widths of 95 % intervals.

    `cost` is completions until the baseline's final accuracy, over the baseline's completions;
    infinite when some seed did not get there. `accuracy` is final.
    """

    name: str
    cost: float
    cost_interval: float
    accuracy: float
    accuracy_interval: float
    trained_share: float
    brier: float
    courses: list[Course] = field(repr=False)
    """One a seed."""


def compare(
    contenders: Sequence[Contender],
    world: World,
    *,
    num_completions: int,
    seeds: Sequence[int],
    num_groups: int = 32,
    group_size: int = 8,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Comparison]:
    """Compare all contenders on the same learners; the first is the baseline.

    `on_progress` is called with the number of simulated runs done, of contenders times seeds.
    """
    courses: list[list[Course]] = [[] for _ in contenders]
    for runs, contender in zip(courses, contenders, strict=True):
        for seed in seeds:
            runs.append(
                simulate(
                    contender,
                    world,
                    num_completions=num_completions,
                    num_groups=num_groups,
                    group_size=group_size,
                    seed=seed,
                )
            )
            on_progress(sum(map(len, courses)))
    goals = [course.accuracy[-1] for course in courses[0]]
    rows = []
    for contender, runs in zip(contenders, courses, strict=True):
        costs = [
            course.completions_until(goal) / num_completions
            for course, goal in zip(runs, goals, strict=True)
        ]
        cost, cost_interval = _interval(costs)
        accuracy, accuracy_interval = _interval([course.accuracy[-1] for course in runs])
        rows.append(
            Comparison(
                name=contender.name,
                cost=cost,
                cost_interval=cost_interval,
                accuracy=accuracy,
                accuracy_interval=accuracy_interval,
                trained_share=statistics.mean(course.trained_share for course in runs),
                brier=statistics.mean(course.brier for course in runs),
                courses=runs,
            )
        )
    return rows


def table(rows: Sequence[Comparison]) -> str:
    """Return the comparison as text, a contender a line."""
    head = f"{'curriculum':<16}{'cost':>16}{'final accuracy':>20}{'trained':>10}{'brier':>8}"
    lines = [head]
    for row in rows:
        cost = f"{row.cost:.2f} ± {row.cost_interval:.2f}"
        accuracy = f"{row.accuracy:.3f} ± {row.accuracy_interval:.3f}"
        if math.isinf(row.cost):
            cost = "not reached"
        lines.append(
            f"{row.name:<16}{cost:>16}{accuracy:>20}{row.trained_share:>10.0%}{row.brier:>8.3f}"
        )
    return "\n".join(lines)


# Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom; the normal's beyond.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14)


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % confidence interval (Student's t)."""
    if any(math.isinf(value) for value in values):
        return math.inf, math.nan
    if len(values) < 2:
        return statistics.fmean(values), math.nan
    degrees = len(values) - 1
    factor = _STUDENT[degrees - 1] if degrees <= len(_STUDENT) else 1.96
    return statistics.fmean(values), factor * statistics.stdev(values) / math.sqrt(len(values))
