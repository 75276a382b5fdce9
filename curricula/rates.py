"""Running rates of every (category, segment) bucket: how problems drawn from it fare of late.

This is where one category's performance is felt by its problems nobody has seen yet, and where a
drift of the policy is felt by problems last seen long ago: both lie in buckets whose rate is
measured at every draw. Each rate is shrunk towards its domain's, that towards the rate of all, and
that towards what the segment's name promises; the three levels are the hierarchical prior.
"""

from math import lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.tiers import Floats, Indices, TierLayout

_STRENGTH = 2.0
"""Groups that each level of the hierarchy weighs against the level below it."""


class BucketRates:
    """Discounted sums by bucket [categories, segments]: groups, pass rates, valid groups."""

    def __init__(
        self,
        domain_of_category: Indices,
        tiers: TierLayout,
        *,
        group_size: int,
        discount: float,
    ) -> None:
        self._domain_of_category = domain_of_category
        # Categories are sorted by domain, so a domain is a run of rows.
        self._domain_starts = np.flatnonzero(np.diff(domain_of_category, prepend=-1))
        self._known: dict[str, Floats] = {}
        self._discount = discount
        shape = (len(domain_of_category), tiers.num_segments)
        self.groups = np.zeros(shape)
        self.passed = np.zeros(shape)
        self.valid = np.zeros(shape)
        self.step = 0
        self._expected_rate = tiers.expected_rate
        self._expected_valid = _valid_chance(tiers, group_size)

    def age(self, step: int) -> None:
        """Let what was observed before `step` count less."""
        if step > self.step:
            factor = self._discount ** (step - self.step)
            for sums in (self.groups, self.passed, self.valid):
                sums *= factor
            self.step = step
            self._known.clear()

    def learn(self, buckets: Indices, pass_rates: Floats, valid: NDArray[np.bool_]) -> None:
        """One more group in each of these buckets (flat bucket numbers, repeats allowed)."""
        for sums, values in (
            (self.groups, np.ones(len(buckets))),
            (self.passed, pass_rates),
            (self.valid, valid.astype(np.float64)),
        ):
            sums += np.bincount(buckets, values, minlength=sums.size).reshape(sums.shape)
        self._known.clear()

    def pass_rate(self) -> Floats:
        """[categories, segments] expected pass rate of a problem drawn from each bucket."""
        if "pass_rate" not in self._known:
            self._known["pass_rate"] = self._shrunk(self.passed, self._expected_rate)
        return self._known["pass_rate"]

    def valid_chance(self) -> Floats:
        """[categories, segments] chance that a group drawn from each bucket is valid."""
        if "valid" not in self._known:
            self._known["valid"] = self._shrunk(self.valid, self._expected_valid)
        return self._known["valid"]

    def valid_beta(self) -> tuple[Floats, Floats]:
        """The Beta posterior of `valid_chance`: (valid, not valid) pseudo-counts."""
        mean = self.valid_chance()
        weight = _STRENGTH + self.groups
        return weight * mean, weight * (1 - mean)

    def _shrunk(self, sums: Floats, expected: Floats) -> Floats:
        level = (_STRENGTH * expected + sums.sum(0)) / (_STRENGTH + self.groups.sum(0))
        by_domain = np.add.reduceat(sums, self._domain_starts)
        groups_by_domain = np.add.reduceat(self.groups, self._domain_starts)
        domain = (_STRENGTH * level + by_domain) / (_STRENGTH + groups_by_domain)
        parent = domain[self._domain_of_category]
        return np.asarray((_STRENGTH * parent + sums) / (_STRENGTH + self.groups))

    def state(self) -> dict[str, Any]:
        """For a saved state."""
        return {
            "groups": self.groups.copy(),
            "passed": self.passed.copy(),
            "valid": self.valid.copy(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Undo `state`."""
        self.groups[:], self.passed[:] = state["groups"], state["passed"]
        self.valid[:], self.step = state["valid"], state["step"]
        self._known.clear()


def beta_binomial_valid(a: float, b: float, group_size: int) -> float:
    """Chance that G attempts neither all pass nor all fail, when the pass rate is Beta(a, b).

    1 - B(a + G, b) / B(a, b) - B(a, b + G) / B(a, b), the two ends of the beta-binomial.
    """

    def end(x: float) -> float:
        total = a + b
        return float(
            np.exp(lgamma(x + group_size) + lgamma(total) - lgamma(x) - lgamma(total + group_size))
        )

    return max(0.0, 1.0 - end(a) - end(b))


def _valid_chance(tiers: TierLayout, group_size: int) -> Floats:
    """What to expect of each segment at first.

    Within a tier pass rates spread like a posterior after one group (G pseudo-counts). Of unknown
    problems nothing is known: Beta(1, 1). That is hopeful, so every category gets its chance early.
    """
    chances = np.array(
        [
            beta_binomial_valid(rate * group_size, (1 - rate) * group_size, group_size)
            for rate in tiers.expected_rate
        ]
    )
    chances[tiers.unknown] = beta_binomial_valid(1.0, 1.0, group_size)
    return chances
