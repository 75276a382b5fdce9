"""Skills of categories and offsets of problems: pass rates that follow a policy that learns.

    pass rate of problem i in category c    sigmoid(skill_c + offset_i)
    skill_c     Gaussian; its variance grows by `_DRIFT` a step, at most to `_UNKNOWN`
    offset_i    Gaussian; how much easier the problem is than its category

A group of a category tells of its skill, and with it of every other problem there, however long ago
that one was seen; what it says beyond tells of its own problem, and does not age. A group with a
share q of n passes is taken in by one step of an extended Kalman filter (Kalman, 1960): with the
expected pass rate p, its slope h = E[p (1 - p)] in the logit and the noise h / n,

    information of the group about the skill    j = h^2 / (h^2 var(offset) + h / n)
    var(skill)'  = 1 / (1 / var(skill) + sum of j)
    skill'       = skill + var(skill)' * sum of j (q - p) / h
    gain         = var(offset) h / (h^2 var(offset) + h / n)        with p and h at the new skill
    offset'      = offset + gain (q - p'),   var(offset)' = (1 - gain h) var(offset) + `_FAMILIAR`

E is over both Gaussians, by Gauss and Hermite's quadrature. The spread of a category's offsets, the
variance of a problem's nobody has seen, is the mean of offset^2 + var(offset) over those seen.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.knowledge.prices import Prices
from curricula.knowledge.rates import BucketRates
from curricula.knowledge.tiers import Floats, Indices, TierLayout

_UNKNOWN = 9.0
_GRADED = 1.0
"""Variance of a category's skill where nothing, and where an offline grade is known of it."""
_DRIFT = 0.15
_FAMILIAR = 0.05
_SPREAD = 1.5
_SPREAD_STRENGTH = 10.0
"""Spread of a category's offsets before any is seen, and how many problems that weighs."""
_MEASURED = 0.5
"""Variance of an offset that an offline grade tells."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(11)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_LEAST_SLOPE = 1e-3


class SkillRates(BucketRates):
    """What the groups of each bucket are expected to be, by its category's skill.

    `sums` are kept as well. `skill`, `doubt` [categories]: mean and variance. `spread` [2,
    categories]: problems seen for the first time, and their sum of offset^2 + var(offset).
    `members` [3, categories, segments]: the problems of a bucket, the sum of their offsets, that of
    offset^2 + var(offset).
    """

    def __init__(
        self,
        domain_of_category: Indices,
        tiers: TierLayout,
        *,
        group_size: int,
        discount: float,
        skill: Floats,
        members: Floats,
    ) -> None:
        super().__init__(domain_of_category, tiers, group_size=group_size, discount=discount)
        self._group_size = group_size
        self._unknown = tiers.unknown
        self._start = (np.nan_to_num(skill), np.where(np.isnan(skill), _UNKNOWN, _GRADED))
        self.skill, self.doubt = (values.copy() for values in self._start)
        self.spread = np.zeros((2, len(skill)))
        self.members = members.copy()
        self._start_members = members
        self._expected_now: dict[str, Floats] = {}
        self.prices = Prices(len(skill))

    def age(self, step: int) -> None:
        """Let the skills drift by the number of steps since the last call."""
        passed = step - self.step
        super().age(step)
        if passed > 0:
            self.doubt = np.minimum(self.doubt + _DRIFT * passed, _UNKNOWN)
            self.prices.sums *= self._discount**passed
            self._expected_now.clear()

    def spread_of(self, categories: Indices) -> Floats:
        """Return the variance of the offset of a problem nobody has seen."""
        seen, total = self.spread[:, categories]
        return np.asarray((_SPREAD_STRENGTH * _SPREAD + total) / (_SPREAD_STRENGTH + seen))

    def expected(self, categories: Indices, offsets: Floats, doubts: Floats) -> Floats:
        """Return the pass rates at the quadrature's nodes, [..., nodes]."""
        return nodes_of(self.skill[categories] + offsets, self.doubt[categories] + doubts)

    def take_in(
        self,
        categories: Indices,
        offsets: Floats,
        doubts: Floats,
        rates: Floats,
        attempts: Floats,
        *,
        expected: Floats,
    ) -> tuple[Floats, Floats]:
        """Learn the skills from groups; return their problems' new offsets and doubts.

        `expected` is what `expected` returns of them now.
        """
        mean, slope = _mean_and_slope(expected)
        told = slope**2 / (slope**2 * doubts + slope / attempts)
        num = len(self.skill)
        information = np.bincount(categories, told, minlength=num)
        surprise = np.bincount(categories, told * (rates - mean) / slope, minlength=num)
        self.doubt = 1 / (1 / self.doubt + information)
        self.skill = self.skill + self.doubt * surprise
        self._expected_now.clear()
        mean, slope = _mean_and_slope(self.expected(categories, offsets, doubts))
        gain = doubts * slope / (slope**2 * doubts + slope / attempts)
        return offsets + gain * (rates - mean), (1 - gain * slope) * doubts + _FAMILIAR

    def meet(self, categories: Indices, offsets: Floats, doubts: Floats) -> None:
        """Count problems that were seen for the first time in the spreads."""
        num = len(self.skill)
        self.spread[0] += np.bincount(categories, minlength=num)
        self.spread[1] += np.bincount(categories, offsets**2 + doubts, minlength=num)
        self._expected_now.clear()

    def shift(self, buckets: Indices, offsets: Floats, doubts: Floats, sign: int) -> None:
        """Add problems to buckets, or take them out with `sign` -1."""
        shape = self.members.shape[1:]
        values = (np.ones(len(buckets)), offsets, offsets**2 + doubts)
        for sums, value in zip(self.members, values, strict=True):
            sums += sign * np.bincount(buckets, value, minlength=sums.size).reshape(shape)
        self._expected_now.clear()

    def pass_rate(self) -> Floats:
        """Return the expected pass rate of a problem of each bucket, [categories, segments]."""
        return self._once("rate", lambda rates: rates @ _WEIGHTS)

    def valid_chance(self) -> Floats:
        """Return the chance that a group of each bucket is valid, [categories, segments]."""
        size = self._group_size
        return self._once("valid", lambda p: (1 - p**size - (1 - p) ** size) @ _WEIGHTS)

    def variance(self) -> Floats:
        """Return the expected reward variance 4 p (1 - p) by bucket, [categories, segments]."""
        return self._once("variance", lambda rates: (rates - rates**2) @ (4 * _WEIGHTS))

    def _once(self, name: str, compute: Callable[[Floats], Floats]) -> Floats:
        """What is computed of the buckets' pass rates, kept until something changes."""
        if name not in self._expected_now:
            if "nodes" not in self._expected_now:
                self._expected_now["nodes"] = self._nodes()
            self._expected_now[name] = compute(self._expected_now["nodes"])
        return self._expected_now[name]

    def _nodes(self) -> Floats:
        """The pass rates of each bucket's problems at the nodes, [categories, segments, nodes]."""
        num, total, squares = self.members
        held = np.maximum(num, 1e-9)
        offset = np.where(num > 0.5, total / held, 0.0)
        doubt = np.where(num > 0.5, np.maximum(squares / held - offset**2, 0.0), _SPREAD)
        categories = np.arange(len(self.skill))
        offset[:, self._unknown] = 0.0
        doubt[:, self._unknown] = self.spread_of(categories)
        return self.expected(categories[:, None], offset, doubt)

    def forget(self) -> None:
        """Go back to nothing observed."""
        super().forget()
        self.skill, self.doubt = (values.copy() for values in self._start)
        self.spread[:], self.members[:] = 0, self._start_members
        self.prices.sums[:] = 0
        self._expected_now.clear()

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        own = {name: getattr(self, name).copy() for name in ("skill", "doubt", "spread", "members")}
        return {**super().state(), **own, "prices": self.prices.sums.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        super().restore(state)
        self.skill, self.doubt = state["skill"].copy(), state["doubt"].copy()
        self.spread[:], self.members[:] = state["spread"], state["members"]
        self.prices.sums[:] = state["prices"]
        self._expected_now.clear()

    def restore_rows(self, state: dict[str, Any], rows: Indices) -> None:
        """Load the categories `rows` of another problem set's state; -1 for those it lacks.

        The problems' offsets are not in it: `shift` tells of them afterwards.
        """
        super().restore_rows(state, rows)
        known = rows >= 0
        self.skill = np.where(known, state["skill"][rows], self._start[0])
        self.doubt = np.where(known, state["doubt"][rows], self._start[1])
        self.spread[:] = np.where(known, state["spread"][:, rows], 0.0)
        self.prices.sums[:] = np.where(known, state["prices"][:, rows], 0.0)
        self._expected_now.clear()


def nodes_of(logits: Floats, variances: Floats) -> Floats:
    """Return the pass rates at the nodes of a quadrature over Gaussian logits, [..., nodes]."""
    rates = np.sqrt(variances)[..., None] * -_NODES
    rates -= np.clip(logits, -30, 30)[..., None]
    np.exp(rates, out=rates)
    rates += 1
    return np.reciprocal(rates, out=rates)


def _mean_and_slope(rates: Floats) -> tuple[Floats, Floats]:
    return rates @ _WEIGHTS, np.maximum((rates - rates**2) @ _WEIGHTS, _LEAST_SLOPE)


def mean_rate(rates: Floats) -> Floats:
    """Return the expected pass rate of those at the nodes."""
    return np.asarray(rates @ _WEIGHTS)


def offline_skills(
    pass_rates: NDArray[np.floating[Any]], codes: NDArray[np.integer[Any]], num: int
) -> tuple[Floats, Floats]:
    """Return each category's mean logit of offline pass rates, and each problem's logit less that.

    NaN where nothing is graded: the first [categories], the second [problems].
    """
    logits = logit_of(pass_rates.astype(np.float64))
    graded = ~np.isnan(logits)
    counts = np.bincount(codes[graded], minlength=num)
    sums = np.bincount(codes[graded], logits[graded], minlength=num)
    skills = np.where(counts > 0, sums / np.maximum(1, counts), np.nan)
    return skills, logits - skills[codes]


def logit_of(rates: Floats) -> Floats:
    """Return the logit, of a rate kept in [.02, .98] because grades are of few attempts."""
    inside = np.clip(rates, 0.02, 0.98)
    return np.asarray(np.log(inside / (1 - inside)))


MEASURED = _MEASURED
