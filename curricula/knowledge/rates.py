"""Running rates of every (category, segment) bucket: how problems drawn from it fare of late.

This is where one category's performance is felt by its problems nobody has seen yet, and where a
drift of the policy is felt by problems last seen long ago: both lie in buckets whose rate is
measured at every draw. Each rate is shrunk towards its domain's, that towards the rate of all, and
that towards what the segment's name promises; the three levels are the hierarchical prior.
"""

from math import lgamma
from typing import Any

import numpy as np
from numpy.random import Generator

from curricula.knowledge.tiers import Floats, Indices, TierLayout

_STRENGTH = 2.0
"""Groups that each level of the hierarchy weighs against the level below it."""


class BucketRates:
    """Discounted sums over groups, by bucket.

    `sums` [4, categories, segments]: groups, pass rates, valid groups, and reward variances
    4 p (1 - p) (unbiased: times attempts / (attempts - 1)).
    """

    def __init__(
        self,
        domain_of_category: Indices,
        tiers: TierLayout,
        *,
        group_size: int,
        discount: float,
    ) -> None:
        # Categories are sorted by domain, so the rows of a domain follow one another.
        self._domain_of_category = domain_of_category
        self._domain_starts = np.flatnonzero(np.diff(domain_of_category, prepend=-1))
        self._discount = discount
        self.sums = np.zeros((4, len(domain_of_category), tiers.num_segments))
        self.step = 0
        self._expected = _expected(tiers, group_size)
        self._shrunk_means: dict[int, Floats] = {}

    def age(self, step: int) -> None:
        """Let what was observed before `step` count less, by the number of steps in between."""
        if step > self.step:
            self.sums *= self._discount ** (step - self.step)
            self.step = step
            self._shrunk_means.clear()

    def learn(self, buckets: Indices, passes: Floats, attempts: Floats) -> None:
        """Add one group to each of these buckets (flat bucket numbers, repeats allowed)."""
        rate = passes / attempts
        spread = 4 * rate * (1 - rate) * attempts / np.maximum(1, attempts - 1)
        # Two attempts that differ would count as 2; a utility is at most 1.
        values = (np.ones(len(rate)), rate, (rate > 0) & (rate < 1), np.minimum(1.0, spread))
        shape = self.sums.shape[1:]
        for sums, value in zip(self.sums, values, strict=True):
            sums += np.bincount(buckets, value, minlength=sums.size).reshape(shape)
        self._shrunk_means.clear()

    @property
    def groups(self) -> Floats:
        """The groups observed in each bucket, discounted, [categories, segments]."""
        return np.asarray(self.sums[0])

    def pass_rate(self) -> Floats:
        """Return the expected pass rate of a problem of each bucket, [categories, segments]."""
        return self._shrunk(1)

    def valid_chance(self) -> Floats:
        """Return the chance that a group of each bucket is valid, [categories, segments]."""
        return self._shrunk(2)

    def variance(self) -> Floats:
        """Return the expected reward variance 4 p (1 - p) by bucket, [categories, segments]."""
        return self._shrunk(3)

    def sampled(self, mean: Floats, rng: Generator) -> Floats:
        """Return a Thompson sample of a utility in [0, 1] with this posterior mean.

        It is Beta, with as many pseudo-counts as groups in the bucket, besides those of the prior.
        """
        weight = _STRENGTH + self.groups
        return rng.beta(weight * mean + 1e-6, weight * (1 - mean) + 1e-6)

    def _shrunk(self, which: int) -> Floats:
        if which in self._shrunk_means:
            return self._shrunk_means[which]
        groups, sums = self.sums[0], self.sums[which]
        level = (_STRENGTH * self._expected[which] + sums.sum(0)) / (_STRENGTH + groups.sum(0))
        by_domain = np.add.reduceat(sums, self._domain_starts)
        groups_by_domain = np.add.reduceat(groups, self._domain_starts)
        domain = (_STRENGTH * level + by_domain) / (_STRENGTH + groups_by_domain)
        parent = domain[self._domain_of_category]
        self._shrunk_means[which] = (_STRENGTH * parent + sums) / (_STRENGTH + groups)
        return self._shrunk_means[which]

    def forget(self) -> None:
        """Go back to nothing observed."""
        self.sums[:] = 0
        self._shrunk_means.clear()

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"sums": self.sums.copy(), "step": self.step}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self.sums[:], self.step = state["sums"], state["step"]
        self._shrunk_means.clear()

    def restore_rows(self, state: dict[str, Any], rows: Indices) -> None:
        """Load the categories `rows` of another problem set's state; -1 for those it lacks."""
        self.sums[:] = state["sums"][:, np.maximum(rows, 0)] * (rows >= 0)[None, :, None]
        self.step = state["step"]
        self._shrunk_means.clear()


def beta_binomial_valid(a: float, b: float, group_size: int) -> float:
    """Return the chance that G attempts neither all pass nor all fail, with a Beta(a, b) pass rate.

    1 - B(a + G, b) / B(a, b) - B(a, b + G) / B(a, b), the two ends of the beta-binomial.
    """

    def end(x: float) -> float:
        total = a + b
        return float(
            np.exp(lgamma(x + group_size) + lgamma(total) - lgamma(x) - lgamma(total + group_size))
        )

    return max(0.0, 1.0 - end(a) - end(b))


def _expected(tiers: TierLayout, group_size: int) -> Floats:
    """What `sums` would hold a group before anything was observed, [4, segments].

    Within a bin pass rates spread like a posterior after one group (G pseudo-counts). Of unknown
    problems nothing is known: Beta(1, 1). That is hopeful, so every category gets its chance early.
    """
    counts = np.full(tiers.num_segments, float(group_size))
    counts[tiers.unknown] = 2.0
    a, b = counts * tiers.expected_rate, counts * (1 - tiers.expected_rate)
    valid = [beta_binomial_valid(*pair, group_size) for pair in zip(a, b, strict=True)]
    variance = 4 * a * b / (counts * (counts + 1))
    return np.stack([np.ones(len(a)), tiers.expected_rate, np.array(valid), variance])
