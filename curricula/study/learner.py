"""A simulated learner: an item-response model that learns, forgets and transfers.

It answers by item response theory (the one-parameter logistic model of Rasch, 1960) and learns from
what it is trained on:

    pass rate of problem i in category c    sigmoid(general + skill_c + familiar_i - difficulty_i)
    trained on a group with pass rate q     skill_c  += learning * 4 q (1 - q) / groups a step
                                            general  += transfer * the same
                                            familiar_i += memorising * 4 q (1 - q)
    every step                              skill_c  -= forgetting * (skill_c - its start)

4 q (1 - q) is the reward variance of the group: a group all right or all wrong teaches nothing, an
even one most. `familiar` is what is learned about the single problem and helps no other one, so
that narrow sampling does not pay. Held-out accuracy is over problems of the same distribution.

Left out: the optimiser, noise of the gradient, verifier errors, completions of different length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from curricula.contract import Draw, GroupResult
from curricula.errors import SettingsError
from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.tiers import Floats, Indices
from curricula.strict import Setting, check_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The problems and the learner; difficulties and skills are in logits.

    The module's docstring has the equations.
    """

    num_problems: Annotated[int, Setting(description="Problems to train on.", ge=1, le=10**9)] = (
        5000
    )
    num_categories: Annotated[
        int,
        Setting(description="Categories, each with as many of the problems.", ge=1, le=10**9),
    ] = 10
    num_domains: Annotated[
        int, Setting(description="Domains, each with as many of the categories.", ge=1, le=10**9)
    ] = 2
    easiest_category: Annotated[
        float,
        Setting(
            description="Mean difficulty of the easiest category; those between it and the hardest "
            "are spaced evenly.",
            ge=-1e9,
            le=1e9,
        ),
    ] = -6.0
    hardest_category: Annotated[
        float, Setting(description="Mean difficulty of the hardest category.", ge=-1e9, le=1e9)
    ] = 8.0
    spread: Annotated[
        float,
        Setting(
            description="Standard deviation of the difficulties within a category.", ge=0, le=1e9
        ),
    ] = 1.5
    graded: Annotated[
        float,
        Setting(
            description="Share of the problems with an offline pass rate, which is that of 16 "
            "attempts of the untrained learner.",
            ge=0,
            le=1,
        ),
    ] = 0.0
    learning: Annotated[
        float, Setting(description="Gain of a category's skill from an even group.", ge=0, le=1e9)
    ] = 0.08
    transfer: Annotated[
        float,
        Setting(description="Share of such a gain that every category gets.", ge=0, le=1e9),
    ] = 0.1
    forgetting: Annotated[
        float,
        Setting(
            description="Share of a category's gained skill that is lost at each step.",
            ge=0,
            le=1e9,
        ),
    ] = 0.002
    memorising: Annotated[
        float,
        Setting(description="Gain at the very problem of an even group.", ge=0, le=1e9),
    ] = 0.2

    def __post_init__(self) -> None:
        check_settings(self)
        if self.num_problems < self.num_categories:
            raise SettingsError(
                f"expected at least one problem a category, found {self.num_problems} problems "
                f"and {self.num_categories} categories"
            )


class SimulatedLearner:
    """A policy that answers, learns, forgets and transfers as `World` says."""

    def __init__(self, world: World, seed: int) -> None:
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
        """Return the training problems; ids are "p" and a number."""
        num, world = self._world.num_problems, self._world
        rates = np.full(num, np.nan)
        graded = self._rng.random(num) < world.graded
        chance = self._chance(np.arange(num))
        rates[graded] = self._rng.binomial(16, chance[graded]) / 16
        return _ungraded(num, world.num_categories, world.num_domains).graded(rates)

    def roll_out(self, draws: Sequence[Draw], step: int, group_size: int) -> list[GroupResult]:
        """Answer every drawn problem `group_size` times; return the results."""
        passes = self._rng.binomial(group_size, self.pass_rates(draws)).tolist()
        return [
            GroupResult(draw.problem_id, step, passed, group_size, 0)
            for draw, passed in zip(draws, passes, strict=True)
        ]

    def pass_rates(self, draws: Sequence[Draw]) -> Floats:
        """Return the true pass rates of drawn problems, as they are now."""
        indices = np.array([int(draw.problem_id[1:]) for draw in draws], dtype=np.int64)
        return self._chance(indices)

    def train(self, groups: Sequence[GroupResult], num_groups: int) -> None:
        """Take one optimiser step on these groups, each weighing 1 / `num_groups`."""
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
        """Return the expected pass rate on held-out problems, all categories alike."""
        return float(_sigmoid(self._general + self._skill - self._held_out).mean())

    def _chance(self, indices: Indices) -> Floats:
        skill = self._general + self._skill[self._category[indices]] + self._familiar[indices]
        return _sigmoid(skill - self._difficulty[indices])


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))


@lru_cache(maxsize=1)
def _ungraded(num: int, num_categories: int, num_domains: int) -> ProblemSet:
    """The problems of a world without their difficulty, which are the same for every seed."""
    names = [f"category{c}" for c in range(num_categories)]
    domains = [f"domain{c % num_domains}" for c in range(num_categories)]
    return ProblemSet(
        [f"p{i}" for i in range(num)],
        (domains * (num // num_categories + 1))[:num],
        (names * (num // num_categories + 1))[:num],
    )
