"""The simulated arena: every sampler in pools of every kind, at equal cost, in seconds a run.

Each run trains a simulated learner (`learner`) with an optimiser that normalises its steps, as Adam
does: without it a simulation says nothing of samplers that make fewer updates of fuller batches.
Runs of one seed are pairs: they have the same problems. Costs are what a sampler spends until the
accuracy that uniform sampling has at its end, over what that spends: completions, tokens (hard
problems are answered at four times the length of easy ones), and seconds of a simple model.

It was used to make and to tune the samplers, with seeds below 100; reported seeds are 100 and
above. What holds for a model only training shows: `scripts/bench_arena`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curricula.knowledge.tiers import Floats
from curricula.study.contender import Contender
from curricula.study.learner import World
from curricula.study.simulation import Course, Currency, simulate

_BASE = World(
    num_problems=3200,
    num_categories=12,
    num_domains=3,
    spread=1.0,
    learning=0.35,
    critical_groups=16.0,
    longest=4.0,
)
POOLS: dict[str, World] = {
    "valid10": replace(_BASE, easiest_category=-10.0, hardest_category=34.0),
    "valid30": replace(_BASE, easiest_category=-6.0, hardest_category=9.0),
    "valid57": replace(_BASE, easiest_category=-3.2, hardest_category=4.8),
    "valid80": replace(_BASE, easiest_category=-1.5, hardest_category=2.8),
    "domains": replace(
        _BASE, easiest_category=-4.0, hardest_category=6.0, slowest_domain=0.1, forgetting=0.01
    ),
    "noisy": replace(
        _BASE,
        easiest_category=-6.0,
        hardest_category=9.0,
        wrong_references=0.05,
        turned_verdicts=0.05,
    ),
    "graded": replace(_BASE, easiest_category=-6.0, hardest_category=9.0, graded=1.0),
    "one category": replace(
        _BASE,
        num_categories=1,
        num_domains=1,
        easiest_category=2.0,
        spread=5.0,
        hardest_category=2.0,
    ),
}
"""Named by about how many per cent of uniform sampling's first groups are valid."""
SAMPLERS = (
    *("uniform", "dapo max_draws=64", "rlcs", "posterior", "frontier"),
    *("study/greso", "study/mopps", "study/kgps", "study/dps", "study/speed"),
    *("study/pilot_commit", "study/adarft", "study/sec", "study/dump", "study/vcrl"),
    *("study/prime_pools", "study/lilo"),
)
NEED_GRADES = ("study/adarft",)
"""Samplers for which problems must be graded; elsewhere they are left out."""
NUM_COMPLETIONS, NUM_GROUPS, GROUP_SIZE = 4096, 16, 8
_NUM_RESAMPLED = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A sampler in a pool: means over seeds, each with the bounds of its 95 % interval.

    Costs are ratios (see the module); `over_dapo` is in completions, until dapo's end accuracy.
    `never` counts seeds that did not reach uniform's accuracy; they count with all they spent.
    `gain` is final accuracy less uniform's.
    """

    name: str
    completions: tuple[float, float, float]
    tokens: tuple[float, float, float]
    seconds: tuple[float, float, float]
    over_dapo: tuple[float, float, float]
    never: int
    accuracy: tuple[float, float, float]
    gain: tuple[float, float, float]
    valid_share: float
    prediction_error: float
    median_pass_rate: float
    forgetting: float
    coverage: float


def compete(
    world: World,
    samplers: Sequence[str],
    seeds: Sequence[int],
    *,
    num_completions: int = NUM_COMPLETIONS,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Standing]:
    """Run samplers over a world with the same seeds; `uniform` and `dapo` are run in any case."""
    names = list(dict.fromkeys(["uniform", "dapo max_draws=64", *samplers]))
    if world.graded < 1:
        names = [name for name in names if name.split()[0] not in NEED_GRADES]
    courses: dict[str, list[Course]] = {}
    for done, name in enumerate(names):
        courses[name] = [
            simulate(
                Contender.parse(name),
                world,
                num_completions=num_completions,
                num_groups=NUM_GROUPS,
                group_size=GROUP_SIZE,
                seed=seed,
            )
            for seed in seeds
        ]
        on_progress(done + 1)
    uniform, dapo = courses["uniform"], courses["dapo max_draws=64"]
    return [standing(name, courses[name], uniform, dapo) for name in names]


def standing(
    name: str, courses: Sequence[Course], uniform: Sequence[Course], dapo: Sequence[Course]
) -> Standing:
    """Sum up a sampler's courses beside those of uniform and dynamic sampling, seed by seed."""

    def costs(bases: Sequence[Course], what: Currency) -> list[float]:
        return [cost(mine, base, what) for mine, base in zip(courses, bases, strict=True)]

    def mean(what: str) -> float:
        return float(np.mean([getattr(course, what) for course in courses]))

    ends = [course.accuracy[-1] for course in courses]
    others = [course.accuracy[-1] for course in uniform]
    return Standing(
        name=name,
        completions=interval(costs(uniform, "completions")),
        tokens=interval(costs(uniform, "tokens")),
        seconds=interval(costs(uniform, "seconds")),
        over_dapo=interval(costs(dapo, "completions")),
        never=sum(max(course.accuracy) < end for course, end in zip(courses, others, strict=True)),
        accuracy=interval(ends),
        gain=interval([end - other for end, other in zip(ends, others, strict=True)]),
        valid_share=mean("valid_share"),
        prediction_error=mean("prediction_error"),
        median_pass_rate=mean("median_pass_rate"),
        forgetting=mean("forgetting"),
        coverage=mean("coverage"),
    )


def cost(course: Course, base: Course, what: Currency) -> float:
    """What a course spends until the other's end accuracy, over what that spends until there."""
    mine = course.spent_until(base.accuracy[-1], what)
    return (getattr(course, what)[-1] if math.isinf(mine) else mine) / base.spent_until(
        base.accuracy[-1], what
    )


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % bootstrap interval over seeds; NaN bounds for a single one."""
    found: Floats = np.array(values, dtype=np.float64)
    mean = float(found.mean())
    if len(found) < 2:
        return mean, math.nan, math.nan
    picks = np.random.default_rng(0).integers(0, len(found), (_NUM_RESAMPLED, len(found)))
    low, high = np.quantile(found[picks].mean(1), [0.025, 0.975])
    return mean, float(low), float(high)


def standings(rows: Sequence[Standing]) -> str:
    """Return the standings of a pool as a table in Markdown, the cheapest first."""
    head = "| sampler | completions | tokens | seconds | completions over dapo's | final | over "
    head += "uniform | valid | error | median | forgotten | coverage |"
    lines = [head, "|" + "---|" * 12]
    for row in sorted(rows, key=lambda row: row.completions[0]):
        costs = (row.completions, row.tokens, row.seconds, row.over_dapo)
        name = row.name + (f" (not reached: {row.never})" if row.never else "")
        cells = [name, *map(_shown, costs), _shown(row.accuracy, ".3f"), _shown(row.gain, "+.3f")]
        cells += [f"{row.valid_share:.0%}", f"{row.prediction_error:.3f}"]
        cells += [f"{row.median_pass_rate:.2f}", f"{row.forgetting:.3f}", f"{row.coverage:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(found: tuple[float, float, float], style: str = ".2f") -> str:
    mean, low, high = (format(value, style) for value in found)
    return mean if "nan" in low or low == high else f"{mean} [{low}, {high}]"
