"""Curricula compared on a simulated learner, in seconds, before a GPU is spent.

The learner answers by item response theory (the one-parameter logistic model of Rasch, 1960) and
learns from what it is trained on:

    pass rate of problem i in category c    sigmoid(general + skill_c + familiar_i - difficulty_i)
    trained on a group with pass rate q     skill_c  += learning * 4 q (1 - q) / groups a step
                                            general  += transfer * the same
                                            familiar_i += memorising * 4 q (1 - q)
    every step                              skill_c  -= forgetting * (skill_c - its start)

4 q (1 - q) is the reward variance of the group: a group all right or all wrong teaches nothing, an
even one most. `familiar` is what is learned about the single problem and helps no other one, so
that narrow sampling does not pay. Held-out accuracy is over problems of the same distribution.

Left out: the optimiser, noise of the gradient, verifier errors, completions of different length.
A curriculum that wins here has passed a plausibility check, no more.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from curricula.contract import Curriculum, Draw, Fate, GroupResult
from curricula.errors import SettingsError
from curricula.making import make_curriculum
from curricula.problems import ProblemSet
from curricula.tiers import Floats, Indices


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The problems and the learner; difficulties and skills are in logits.

    hardest_category, easiest_category: mean difficulty of the extreme categories; the others are
        spaced evenly between. `spread` is the standard deviation within a category.
    graded: share of the problems with an offline pass rate (16 attempts of the untrained learner).
    The rest is explained in the module's docstring.
    """

    num_problems: int = 5000
    num_categories: int = 10
    num_domains: int = 2
    easiest_category: float = -6.0
    hardest_category: float = 8.0
    spread: float = 1.5
    graded: float = 0.0
    learning: float = 0.08
    transfer: float = 0.1
    forgetting: float = 0.002
    memorising: float = 0.2


class SimulatedLearner:
    """A policy that answers, learns, forgets and transfers as `World` says."""

    def __init__(self, world: World, seed: int) -> None:
        if world.num_problems < world.num_categories or world.num_categories < 1:
            raise SettingsError(
                f"expected at least one problem a category, found {world.num_problems} problems "
                f"and {world.num_categories} categories"
            )
        self._world = world
        self._rng = np.random.default_rng(seed)
        self._category = np.arange(world.num_problems) % world.num_categories
        means = np.linspace(world.easiest_category, world.hardest_category, world.num_categories)
        self._difficulty = self._difficulties(means[self._category])
        self._held_out = self._difficulties(np.tile(means, (400, 1)))
        self._start = np.zeros(world.num_categories)
        self._skill = self._start.copy()
        self._general = 0.0
        self._familiar = np.zeros(world.num_problems, dtype=np.float32)

    def _difficulties(self, means: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        noise = self._rng.normal(0, self._world.spread, means.shape)
        return (means + noise).astype(np.float32)

    def problems(self) -> ProblemSet:
        """The training problems; ids are "p" and a number."""
        num, world = self._world.num_problems, self._world
        rates = np.full(num, np.nan)
        graded = self._rng.random(num) < world.graded
        chance = self._chance(np.arange(num))
        rates[graded] = self._rng.binomial(16, chance[graded]) / 16
        categories = self._category.tolist()
        return ProblemSet(
            [f"p{i}" for i in range(num)],
            [f"domain{c % world.num_domains}" for c in categories],
            [f"category{c}" for c in categories],
            rates,
        )

    def roll_out(self, draws: Sequence[Draw], step: int, group_size: int) -> list[GroupResult]:
        """Answer every drawn problem `group_size` times."""
        indices = np.array([int(draw.problem_id[1:]) for draw in draws], dtype=np.int64)
        passes = self._rng.binomial(group_size, self._chance(indices)).tolist()
        return [
            GroupResult(draw.problem_id, step, passed, group_size, 0)
            for draw, passed in zip(draws, passes, strict=True)
        ]

    def train(self, groups: Sequence[GroupResult], num_groups: int) -> None:
        """One optimiser step on these groups, each weighing 1 / `num_groups`."""
        indices = np.array([int(group.problem_id[1:]) for group in groups], dtype=np.int64)
        rate = np.array([group.passes / group.attempts for group in groups])
        use = 4 * rate * (1 - rate)
        world = self._world
        learned = world.learning / num_groups * use
        categories = self._category[indices]
        self._skill += np.bincount(categories, learned, minlength=len(self._skill))
        self._general += world.transfer * float(learned.sum())
        np.add.at(self._familiar, indices, (world.memorising * use).astype(np.float32))
        self._skill -= world.forgetting * (self._skill - self._start)

    def accuracy(self) -> float:
        """Expected pass rate on held-out problems, all categories alike."""
        return float(_sigmoid(self._general + self._skill - self._held_out).mean())

    def _chance(self, indices: Indices) -> Floats:
        skill = self._general + self._skill[self._category[indices]] + self._familiar[indices]
        return _sigmoid(skill - self._difficulty[indices])


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A curriculum to compare: its kind and settings, under a name of its own."""

    name: str
    kind: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One simulated run, step by step: completions generated so far, held-out accuracy."""

    completions: list[int]
    accuracy: list[float]
    trained_share: float
    """Share of the generated groups that were trained on."""
    brier: float

    def completions_until(self, accuracy: float) -> float:
        """Completions generated when the accuracy was first reached; infinity if never."""
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


def compare(
    contenders: Sequence[Contender],
    world: World,
    *,
    num_completions: int,
    seeds: Sequence[int],
    num_groups: int = 32,
    group_size: int = 8,
) -> list[Comparison]:
    """All contenders on the same learners; the first is the baseline."""
    courses = [
        [
            simulate(
                contender,
                world,
                num_completions=num_completions,
                num_groups=num_groups,
                group_size=group_size,
                seed=seed,
            )
            for seed in seeds
        ]
        for contender in contenders
    ]
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
            )
        )
    return rows


def table(rows: Sequence[Comparison]) -> str:
    """The comparison as text, a contender a line."""
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
