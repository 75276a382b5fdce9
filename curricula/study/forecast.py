"""What choosing is expected to save on a pool, before a run is made.

From known pass rates of problems (offline grades, or the first steps of a run) a simulated learner
is made that passes the same problems, and trained by uniform sampling and by the curriculum asked
about. How fast the model learns, how far what it learns carries over and how noisy its steps are
nobody knows before the run, so that is drawn anew each time:

    gain of a run          log-uniform, 3 to 30 logits for a category trained on all the time
    critical groups        log-uniform, 4 to 64        (see `learner`)
    transfer               uniform, 0 to 0.3

The forecast is the median of what was saved, its interval holds the middle nine tenths. A problem
that nobody graded passes like one of its category, drawn by chance. Accuracy is that of the
held-out problems' mix of categories, which need not be that of the pool. What the forecast cannot
know is what the simulation leaves out: `curricula/ARENA.md` says how far off it was.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curricula.errors import SettingsError
from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.tiers import Floats, Indices
from curricula.study.contender import Contender
from curricula.study.learner import SimulatedLearner, World
from curricula.study.simulation import Course, train

_MOST_PROBLEMS, _MOST_STEPS = 4000, 40
_LEAST_RATE = 0.002
"""Taken for a problem that never passed (and one less this for one that always did)."""
_COVERED = 0.9
_LIKENESS = (0.02, 0.9)
"""Bounds of the correlation between two attempts at one problem of a category."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """What is known of the problems a run draws from, side by side.

    categories: a (domain, category) pair each. rates: pass rates, NaN where nothing is known;
    at least one is. graded: whether the curriculum knows the rates as well. held_out: the
    categories of the problems that accuracy is measured on, one each, of which those that are not
    trained on are left out; where none is left they are as in training. attempts: of how many
    attempts each rate is; without them the rates are taken as they are.
    """

    categories: Sequence[tuple[str, str]]
    rates: Floats
    graded: bool
    held_out: Sequence[tuple[str, str]] = ()
    attempts: Floats | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Completions saved until uniform sampling's final accuracy, as a share of its completions.

    `low` and `high` bound the middle nine tenths of `savings`, one a simulated pair of runs.
    `valid_share` is that of uniform sampling's groups and of the curriculum's.
    """

    saving: float
    low: float
    high: float
    savings: list[float]
    valid_share: tuple[float, float]


def forecast(
    pool: Pool,
    contender: Contender,
    *,
    num_steps: int,
    num_groups: int,
    group_size: int,
    num_pairs: int = 16,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Forecast:
    """Return what the contender is expected to save in a run of `num_steps` steps on this pool.

    SettingsError when no pass rate is known.
    """
    if np.isnan(pool.rates).all():
        raise SettingsError(
            f"expected pass rates of some of the {len(pool.rates)} problems, found none; grade "
            "them first, or name a run on them whose first steps are known"
        )
    steps = min(num_steps, _MOST_STEPS)
    uniform = Contender(name="uniform", kind="uniform")
    savings, shares = [], []
    for pair in range(num_pairs):
        rng = np.random.default_rng([pair, 1])
        world = World(
            learning=math.exp(rng.uniform(math.log(3), math.log(30))) / steps,
            critical_groups=math.exp(rng.uniform(math.log(4), math.log(64))),
            transfer=rng.uniform(0, 0.3),
        )
        courses: list[Course] = [
            train(
                each,
                KnownLearner(pool, world, seed=pair),
                num_completions=steps * num_groups * group_size,
                num_groups=num_groups,
                group_size=group_size,
                seed=pair,
            )
            for each in (uniform, contender)
        ]
        savings.append(1 - _cost(courses[1], courses[0]))
        shares.append([course.valid_share for course in courses])
        on_progress(pair + 1)
    low, middle, high = np.quantile(savings, [(1 - _COVERED) / 2, 0.5, (1 + _COVERED) / 2])
    valid = np.mean(shares, axis=0)
    return Forecast(
        saving=float(middle),
        low=float(low),
        high=float(high),
        savings=savings,
        valid_share=(float(valid[0]), float(valid[1])),
    )


def _cost(course: Course, uniform: Course) -> float:
    """Completions until uniform's final accuracy over uniform's; all of them if never reached."""
    needed = min(course.completions_until(uniform.accuracy[-1]), course.completions[-1])
    return needed / uniform.completions[-1]


class KnownLearner(SimulatedLearner):
    """A learner that at first passes problems at known rates; held-out are more like these."""

    def __init__(self, pool: Pool, world: World, seed: int) -> None:
        rng = np.random.default_rng([seed, 2])
        num = len(pool.rates)
        kept = np.arange(num)
        if num > _MOST_PROBLEMS:
            kept = rng.choice(num, _MOST_PROBLEMS, replace=False)
        pairs = [pool.categories[index] for index in kept.tolist()]
        names = sorted(set(pairs))
        number = {pair: code for code, pair in enumerate(names)}
        codes = np.array([number[pair] for pair in pairs], dtype=np.int64)
        known = pool.rates[kept]
        tried = None if pool.attempts is None else pool.attempts[kept]
        rates = _filled_in(true_rates(known, tried, codes, rng), codes, rng)
        super().__init__(replace(world, num_problems=len(kept), num_categories=len(names)), seed)
        self._category = codes
        self._difficulty = _difficulty(rates)
        held_out = [rng.choice(rates[codes == code], 400) for code in range(len(names))]
        self._held_out = _difficulty(np.array(held_out).T)
        held = [number[pair] for pair in pool.held_out if pair in number] or codes
        self._weights = np.bincount(held, minlength=len(names)) / len(held)
        self._problems = ProblemSet(
            [f"p{index}" for index in range(len(kept))],
            [domain for domain, _ in pairs],
            [category for _, category in pairs],
            known if pool.graded else None,
        )

    def problems(self) -> ProblemSet:
        """Return the problems, with offline pass rates where the curriculum has them."""
        return self._problems

    def accuracy(self) -> float:
        """Return the expected pass rate on held-out problems, categories by their number there."""
        return float(self.accuracies() @ self._weights)


def true_rates(
    rates: Floats, attempts: Floats | None, codes: Indices, rng: np.random.Generator
) -> Floats:
    """Return what the pass rates may really be that were seen in so many attempts each.

    Few attempts spread wider than the rates behind them: of problems that pass once in ten times
    nearly half fail eight times in a row, and are not hopeless. So the rates of a category are
    taken to be Beta with mean m and correlation r between two attempts at one problem, and one is
    drawn for each problem, given its attempts (NaN where its category has none):

        Beta(k m + passes, k (1 - m) + failures)                 k = 1 / r - 1
        sum of (rate - m)^2 = sum of m (1 - m) (r + (1 - r) / attempts)

    over problems, squares times n / (n - 1) of a category with n; m by category, r from all of
    them together, because a category may have a few problems only.
    """
    seen = ~np.isnan(rates)
    if attempts is None or not seen.any():
        return rates.copy()
    num = int(codes.max()) + 1
    passes = np.where(seen, rates, 0.0) * attempts
    tried = np.where(seen, attempts, 0.0)
    counts = np.bincount(codes[seen], minlength=num)
    totals = np.bincount(codes, tried, minlength=num)
    means = (np.bincount(codes, passes, minlength=num) + 0.5) / (totals + 1)
    of = codes[seen]
    chance = (means * (1 - means))[of]
    fair = counts[of] > 1
    found = ((rates[seen] - means[of]) ** 2 * counts[of] / np.maximum(1, counts[of] - 1))[fair]
    by_chance = (chance / attempts[seen])[fair].sum()
    room = chance[fair].sum() - by_chance
    likeness = float(np.clip((found.sum() - by_chance) / room, *_LIKENESS)) if room > 0 else 0.3
    strength = 1 / likeness - 1
    drawn = rng.beta(
        np.maximum(strength * means[codes] + passes, 1e-3),
        np.maximum(strength * (1 - means[codes]) + tried - passes, 1e-3),
    )
    return np.where(counts[codes] > 0, drawn, np.nan)


def _filled_in(rates: Floats, codes: Indices, rng: np.random.Generator) -> Floats:
    """Give problems without a rate that of one of their category, or of any where none has one."""
    others = rates[~np.isnan(rates)]
    filled = rates.copy()
    for code in np.unique(codes[np.isnan(rates)]).tolist():
        of_category = codes == code
        missing = of_category & np.isnan(rates)
        known = rates[of_category & ~np.isnan(rates)]
        filled[missing] = rng.choice(known if len(known) else others, int(missing.sum()))
    return filled


def _difficulty(rates: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    inside = np.clip(rates, _LEAST_RATE, 1 - _LEAST_RATE)
    return np.log((1 - inside) / inside).astype(np.float32)
