"""Samplers that skip what looked useless last time: GRESO, prime-rl's pools, Pilot-Commit."""

import numpy as np
from numpy.random import Generator

from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats
from curricula.study.samplers.scored import ScoredChooser
from curricula.study.samplers.settings import (
    GresoSettings,
    PilotCommitSettings,
    PrimePoolsSettings,
)

EASY, HARD = 0, 1


class Greso(ScoredChooser):
    """GRESO, selective rollouts by zero-variance history (Zheng et al., arXiv 2506.02177).

    A problem whose last z groups were all of equal rewards is skipped with probability

        1 - p ^ z          p = p_easy if its last group passed, p_hard if it failed

    and both are moved after every rollout so that the share of such groups approaches its target:

        p_easy -= adjustment  if the share of all-passed groups >= target_easy, else += adjustment

    (p_hard alike; both are kept in [adjustment, 1]). The step is refilled until it has enough valid
    groups, as in DAPO. Problems are drawn in proportion to the probability of not being skipped, in
    place of the paper's shuffled epochs. Not verified: that the adjustment follows every rollout,
    and not every step.
    """

    by_chance = True

    def __init__(self, history: PassRateHistory, settings: GresoSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {
            "run": np.zeros(self.num, dtype=np.int64),
            "side": np.zeros(self.num, dtype=np.int8),
            "explore": np.full(2, settings.start),
        }

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return the probability of not being skipped."""
        explore = self.arrays["explore"][self.arrays["side"]]
        return np.asarray(explore ** self.arrays["run"])

    def observe(self, batch: Observed) -> None:
        """Lengthen or end the runs of uniform groups, and adjust both probabilities."""
        solved, failed = batch.passes == batch.attempts, batch.passes == 0
        uniform = solved | failed
        at = batch.indices
        side = np.where(solved, EASY, HARD)
        same = uniform & (self.arrays["run"][at] > 0) & (self.arrays["side"][at] == side)
        run = np.where(same, self.arrays["run"][at] + 1, np.where(uniform, 1, 0))
        self.arrays["run"][at], self.arrays["side"][at] = run, side
        targets = (self._settings.target_easy, self._settings.target_hard)
        for which, (found, target) in enumerate(zip((solved, failed), targets, strict=True)):
            move = self._settings.adjustment * (-1 if found.mean() >= target else 1)
            moved = self.arrays["explore"][which] + move
            self.arrays["explore"][which] = np.clip(moved, self._settings.adjustment, 1.0)


class PrimePools(ScoredChooser):
    """Pools of easy, normal and hard problems by the last group's mean, as in prime-rl's buffer.

    A problem whose last group's mean lies above `easy_above` is easy, below `hard_below` hard, else
    normal, as every problem is at first; problems are drawn in proportion to their pool's weight.
    After the description in the project's notes; prime-rl's own settings differ by version.
    """

    by_chance = True

    def __init__(self, history: PassRateHistory, settings: PrimePoolsSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self._weights = np.array(settings.weights)
        self.arrays = {"pool": np.ones(self.num, dtype=np.int8)}

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return the weight of each problem's pool."""
        return np.asarray(self._weights[self.arrays["pool"]])

    def observe(self, batch: Observed) -> None:
        """Put each problem into the pool of its last mean."""
        mean = batch.passes / batch.attempts
        pool = np.where(mean > self._settings.easy_above, 0, 1)
        self.arrays["pool"][batch.indices] = np.where(mean < self._settings.hard_below, 2, pool)


class PilotCommit(ScoredChooser):
    """Pilot-Commit, rollouts where they count (Kim et al., arXiv 2605.26606).

    A pilot of a few completions shows a problem's reward variance; the rest of the group is spent
    on those that vary, until the batch is full. Problems that look solved are evicted, those that
    look too hard deferred: they rest for a number of steps. Not verified: the pilot's size, the
    thresholds (here: a pilot that all passed, or all failed) and for how long they rest.
    """

    by_chance = True

    def __init__(self, history: PassRateHistory, settings: PilotCommitSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {"rests_until": np.zeros(self.num, dtype=np.int64)}

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return 1 for problems that do not rest; those that do are drawn last."""
        return np.where(self.arrays["rests_until"] <= step, 1.0, 0.0)

    def observe(self, batch: Observed) -> None:
        """Let uniform groups' problems rest."""
        rest = np.where(batch.passes == batch.attempts, self._settings.evicted_for, 0)
        rest = np.where(batch.passes == 0, self._settings.deferred_for, rest)
        self.arrays["rests_until"][batch.indices] = batch.steps + 1 + rest
