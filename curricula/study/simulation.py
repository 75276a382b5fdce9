"""Curricula compared on a simulated learner, in seconds, before a GPU is spent.

A curriculum that wins here has passed a plausibility check, no more: `learner` says what is
simulated and what is left out.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from curricula.contract import Draw, Fate, GroupResult
from curricula.knowledge.tiers import Floats
from curricula.study.contender import Contender
from curricula.study.learner import SimulatedLearner, World
from curricula.study.samplers import make_any_curriculum

_ROLLOUT, _LEARNING, _PER_DRAW, _PER_STEP = 1 / 256, 0.5 / 256, 0.25, 0.25
"""The model of seconds: for a completion of the easiest category's length, for learning from one,
and besides for every draw of a step (engines start and end together) and every step."""


Currency = Literal["completions", "tokens", "seconds"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One simulated run, step by step: what was spent so far, and held-out accuracy.

    completions: those generated. tokens: their length, 1 for one of the easiest category.
    seconds: by a model of time in arbitrary units; see the constants of the module.
    trained_share: share of the generated completions that were trained on.
    valid_share: share of the groups that were valid.
    median_pass_rate: median true pass rate of the drawn problems when drawn.
    prediction_error: mean distance of the expected from the true pass rate of what was drawn.
    coverage: share of the problems ever drawn.
    forgetting: how far below its best each category's accuracy ends, mean over categories.
    """

    completions: list[int]
    tokens: list[float]
    seconds: list[float]
    accuracy: list[float]
    trained_share: float
    valid_share: float
    median_pass_rate: float
    prediction_error: float
    coverage: float
    forgetting: float
    brier: float

    def completions_until(self, accuracy: float) -> float:
        """Return the completions generated until this accuracy was reached; infinity if never."""
        return self.spent_until(accuracy, "completions")

    def spent_until(self, accuracy: float, what: Currency) -> float:
        """Return what was spent until this accuracy was reached; infinity if it never was."""
        reached = zip(getattr(self, what), self.accuracy, strict=True)
        return next((float(spent) for spent, got in reached if got >= accuracy), math.inf)


class _Record:
    """Collects what a `Course` says."""

    def __init__(self, learner: SimulatedLearner, num_problems: int) -> None:
        self._learner = learner
        self._num_problems = num_problems
        self._seen: set[str] = set()
        self._rates: list[Floats] = []
        self._errors: list[Floats] = []
        self._valid = self._groups = self._trained = 0
        self._best = learner.accuracies()
        self.completions, self.accuracy = [0], [learner.accuracy()]
        self.tokens, self.seconds = [0.0], [0.0]
        self._spent = (0, 0.0, 0.0)

    def roll_out(self, draws: Sequence[Draw], expected: Floats, results: list[GroupResult]) -> None:
        """Note groups that were just rolled out, and what had been expected of them."""
        rates = self._learner.pass_rates(draws)
        self._rates.append(rates)
        self._errors.append(np.abs(expected - rates))
        self._seen.update(draw.problem_id for draw in draws)
        self._valid += sum(result.valid for result in results)
        self._groups += len(results)
        completions, tokens, seconds = self._spent
        more = self._learner.tokens(results)
        self._spent = (
            completions + sum(result.attempts for result in results),
            tokens + more,
            seconds + _ROLLOUT * more + _PER_DRAW,
        )

    def train(self, batch: Sequence[GroupResult]) -> None:
        """Note a step that was just taken."""
        self._trained += sum(group.attempts for group in batch)
        completions, tokens, seconds = self._spent
        seconds += _LEARNING * self._learner.tokens(batch) + _PER_STEP
        self._spent = (completions, tokens, seconds)
        self.completions.append(completions)
        self.tokens.append(tokens)
        self.seconds.append(seconds)
        self.accuracy.append(self._learner.accuracy())
        self._best = np.maximum(self._best, self._learner.accuracies())

    def course(self, brier: float) -> Course:
        """Return the whole course."""
        return Course(
            completions=self.completions,
            tokens=self.tokens,
            seconds=self.seconds,
            accuracy=self.accuracy,
            trained_share=self._trained / self.completions[-1],
            valid_share=self._valid / self._groups,
            median_pass_rate=float(np.median(np.concatenate(self._rates))),
            prediction_error=float(np.concatenate(self._errors).mean()),
            coverage=len(self._seen) / self._num_problems,
            forgetting=float((self._best - self._learner.accuracies()).mean()),
            brier=brier,
        )


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
    return train(
        contender,
        SimulatedLearner(world, seed),
        num_completions=num_completions,
        num_groups=num_groups,
        group_size=group_size,
        seed=seed,
    )


def train(
    contender: Contender,
    learner: SimulatedLearner,
    *,
    num_completions: int,
    num_groups: int,
    group_size: int,
    seed: int,
) -> Course:
    """Train this learner; see `simulate`."""
    problems = learner.problems()
    curriculum = make_any_curriculum(
        contender.kind,
        problems,
        group_size=group_size,
        seed=seed,
        **contender.settings,
    )
    record = _Record(learner, len(problems))
    waiting: list[GroupResult] = []
    step = 0
    while record.completions[-1] < num_completions:
        results = waiting
        while draws := curriculum.draw(num_groups, step=step):
            expected = curriculum.predict([draw.problem_id for draw in draws], step=step)
            rolled_out = learner.roll_out(draws, step, group_size, screening=curriculum.screening)
            record.roll_out(draws, expected, rolled_out)
            curriculum.observe(rolled_out)
            results = results + rolled_out
        fates = curriculum.select(results, num_groups)
        batch = [group for group in results if fates[group.problem_id] is Fate.TRAINED]
        waiting = [group for group in results if fates[group.problem_id] is Fate.CARRIED]
        learner.train(batch, num_groups)
        record.train(batch)
        step += 1
    return record.course(curriculum.metrics()["brier"])


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
