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

What a world may add, all of it off by default:

    critical_groups   an optimiser that normalises its steps: U even groups in a batch move the
                      skills by U / sqrt(U^2 + critical_groups U) of a whole step in place of U over
                      the groups of a step, so that a batch of less signal is a step all the same
    slowest_domain    domains learn at speeds from 1 down to this, evenly in their logarithms
    longest           completions of the hardest category are so many times as long as those of the
                      easiest, evenly in the logarithm
    wrong_references  share of the problems whose right answers are judged wrong; what passes there
                      teaches nothing
    turned_verdicts   share of all verdicts that are turned round. 4 q (1 - q) is then four times
                      the covariance of verdict and truth within the group

Left out: what a wrong verdict teaches besides nothing, and correlations between completions.
"""

import math
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
    critical_groups: Annotated[
        float,
        Setting(
            description="With how many even groups in a batch a step has 0.7 of its full length; "
            "0 makes a step as long as its groups' gains add up to.",
            ge=0,
            le=1e9,
        ),
    ] = 0.0
    slowest_domain: Annotated[
        float, Setting(description="Speed at which the slowest domain learns.", gt=0, le=1)
    ] = 1.0
    longest: Annotated[
        float,
        Setting(
            description="Length of the hardest category's completions over the easiest's.",
            ge=1,
            le=1e6,
        ),
    ] = 1.0
    wrong_references: Annotated[
        float, Setting(description="Share of the problems with a wrong reference.", ge=0, le=1)
    ] = 0.0
    turned_verdicts: Annotated[
        float, Setting(description="Share of the verdicts that are turned round.", ge=0, le=0.5)
    ] = 0.0

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
        domains = np.arange(world.num_categories) % world.num_domains
        self._speed = world.slowest_domain ** (domains / max(1, world.num_domains - 1))
        ranks = np.arange(world.num_categories) / max(1, world.num_categories - 1)
        self._length = world.longest**ranks
        self._covariance = np.zeros(world.num_problems)
        self._wrong = np.zeros(world.num_problems, dtype=bool)
        if world.wrong_references:
            self._wrong = self._rng.random(world.num_problems) < world.wrong_references

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

    def roll_out(
        self, draws: Sequence[Draw], step: int, group_size: int, *, screening: int = 0
    ) -> list[GroupResult]:
        """Answer every drawn problem `group_size` times; return the results.

        With `screening` so many times at first, and the rest only where these disagree.
        """
        indices = _indices([draw.problem_id for draw in draws])
        first = screening or group_size
        attempts = np.full(len(indices), first)
        answers = self._answer(indices, attempts)
        if screening:
            passes = answers[1]
            more = np.where((passes > 0) & (passes < first), group_size - first, 0)
            answers, attempts = answers + self._answer(indices, more), attempts + more
        right, passes, both = answers / attempts
        self._covariance[indices] = both - right * passes
        return [
            GroupResult(draw.problem_id, step, *counts)
            for draw, *counts in zip(
                draws,
                answers[1].tolist(),
                attempts.tolist(),
                [0] * len(indices),
                self._tokens(indices, attempts).tolist(),
                strict=True,
            )
        ]

    def _answer(self, indices: Indices, attempts: Indices) -> Indices:
        """How many of the attempts are right, are judged so, and both, [3, problems]."""
        right = self._rng.binomial(attempts, self._chance(indices))
        if not (self._world.wrong_references or self._world.turned_verdicts):
            return np.stack([right, right, right])
        wrong, turned = self._wrong[indices], self._world.turned_verdicts
        passed_right = self._rng.binomial(right, np.where(wrong, turned, 1 - turned))
        passed_else = self._rng.binomial(attempts - right, turned)
        return np.stack([right, passed_right + passed_else, passed_right])

    def pass_rates(self, draws: Sequence[Draw]) -> Floats:
        """Return the true pass rates of drawn problems, as they are now and as they are judged."""
        indices = _indices([draw.problem_id for draw in draws])
        turned = self._world.turned_verdicts
        chance = np.where(self._wrong[indices], 0.0, self._chance(indices))
        return np.asarray(chance * (1 - 2 * turned) + turned)

    def tokens(self, results: Sequence[GroupResult]) -> float:
        """Return the length of these groups; a completion of the easiest category counts as 1."""
        indices = _indices([result.problem_id for result in results])
        attempts = np.array([result.attempts for result in results])
        return float((self._length[self._category[indices]] * attempts).sum())

    def _tokens(self, indices: Indices, attempts: Indices) -> Indices:
        """What a curriculum is told of the lengths: a completion of length 1 has 100 tokens."""
        tokens = 100 * self._length[self._category[indices]] * attempts
        return np.asarray(np.rint(tokens).astype(np.int64))

    def train(self, groups: Sequence[GroupResult], num_groups: int) -> None:
        """Take one optimiser step on these groups, each weighing 1 / `num_groups`."""
        world = self._world
        indices = _indices([group.problem_id for group in groups])
        rate = np.array([group.passes / group.attempts for group in groups])
        use = 4 * rate * (1 - rate)
        if world.wrong_references or world.turned_verdicts:
            use = 4 * self._covariance[indices]
        categories = self._category[indices]
        gains = world.learning * self._scale(use, num_groups) * use * self._speed[categories]
        self._skill += np.bincount(categories, gains, minlength=len(self._skill))
        self._general += world.transfer * float(gains.sum())
        np.add.at(self._familiar, indices, (world.memorising * use).astype(np.float32))
        self._skill -= world.forgetting * (self._skill - self._start)

    def _scale(self, use: Floats, num_groups: int) -> float:
        """What a group's use is multiplied by; see the module's docstring."""
        critical = self._world.critical_groups
        if not critical:
            return 1 / num_groups
        total = max(0.0, float(use.sum()))
        return 1 / math.sqrt(total**2 + critical * total) if total else 0.0

    def accuracy(self) -> float:
        """Return the expected pass rate on held-out problems, all categories alike."""
        return float(_sigmoid(self._general + self._skill - self._held_out).mean())

    def accuracies(self) -> Floats:
        """Return the expected pass rate on held-out problems of each category."""
        return np.asarray(_sigmoid(self._general + self._skill - self._held_out).mean(0))

    def _chance(self, indices: Indices) -> Floats:
        skill = self._general + self._skill[self._category[indices]] + self._familiar[indices]
        return _sigmoid(skill - self._difficulty[indices])


def _indices(problem_ids: Sequence[str]) -> Indices:
    return np.array([int(problem_id[1:]) for problem_id in problem_ids], dtype=np.int64)


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
