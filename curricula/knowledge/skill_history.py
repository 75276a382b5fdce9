"""The history of pass rates as skills of categories and offsets of problems (see `skills`).

A problem lies in the segment of the pass rate it would have were its category's one half: it stays
there while the category gets easier, and the expectation of its bucket moves with the skill.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.knowledge.history import Observed, PassRateHistory, Surprise
from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.skills import (
    MEASURED,
    SkillRates,
    logit_of,
    mean_rate,
    offline_skills,
)
from curricula.knowledge.tiers import Floats, Indices, TierLayout

_CAUTION = 4.0
"""Groups after which half of a deviation from what was expected of a bucket counts as a gain."""


class SkillHistory(PassRateHistory):
    """What is known about the difficulty of every problem, in 22 bytes each besides its id."""

    rates: SkillRates

    def __init__(
        self,
        problems: ProblemSet,
        tiers: TierLayout,
        *,
        group_size: int,
        discount: float,
        rate_discount: float,
        prior_strength: float,
    ) -> None:
        num_categories = len(problems.categories)
        skills, relative = offline_skills(
            problems.prior_pass_rates, problems.category_codes, num_categories
        )
        homes = tiers.homes(np.where(np.isnan(relative), np.nan, _sigmoid(relative)))
        super().__init__(
            problems,
            tiers,
            group_size=group_size,
            discount=discount,
            rate_discount=rate_discount,
            prior_strength=prior_strength,
            homes=homes,
            retirement=None,
            movable=True,
        )
        self._centres = logit_of(tiers.expected_rate)
        records = np.zeros(len(problems), dtype=[("offset", "f2"), ("doubt", "f2")])
        self.offset: NDArray[np.float16] = records["offset"]
        self.doubt: NDArray[np.float16] = records["doubt"]
        self._to_start()
        members = np.zeros((3, num_categories, tiers.num_segments))
        self.rates = SkillRates(
            problems.domain_of_category,
            tiers,
            group_size=group_size,
            discount=rate_discount,
            skill=skills,
            members=members,
        )
        everyone = np.arange(len(problems))
        self._shift(self.buckets.bucket_of(everyone), everyone, 1)
        members[:] = self.rates.members

    def _to_start(self) -> None:
        self.offset[:] = np.where(self.homes == self.tiers.unknown, 0.0, self._centres[self.homes])
        self.doubt[:] = MEASURED

    @property
    def num_bytes(self) -> int:
        """Bytes held by the arrays over problems."""
        return super().num_bytes + self.offset.nbytes + self.doubt.nbytes

    def tiers_by_bucket(self) -> Indices:
        """Return the tier of every bucket by its expected pass rate, [categories, segments]."""
        return self.tiers.tier_of(self.rates.pass_rate())

    def predicted(self, indices: Indices, step: int) -> Floats:
        """Return the expected pass rate of each of these problems."""
        buckets = self.buckets.bucket_of(indices)
        categories = buckets // self.tiers.num_segments
        return mean_rate(self.rates.expected(categories, *self._belief(indices, categories)))

    def _belief(self, indices: Indices, categories: Indices) -> tuple[Floats, Floats]:
        """Mean and variance of the offset of each of these problems."""
        unknown = (self.last_step[indices] < 0) & (self.homes[indices] == self.tiers.unknown)
        doubt = np.where(unknown, self.rates.spread_of(categories), self.doubt[indices])
        return self.offset[indices].astype(np.float64), doubt.astype(np.float64)

    def learn(self, batch: Observed) -> Surprise:
        """Add a batch of results (each problem at most once); see `PassRateHistory.learn`."""
        self.rates.age(int(batch.steps.max()))
        at, known = batch.buckets, batch.known
        bucket_rate = self.rates.pass_rate().ravel()[at]
        groups = self.rates.groups.ravel()[at]
        categories = at // self.tiers.num_segments
        offsets, doubts = self._belief(batch.indices, categories)
        rates = batch.passes / batch.attempts
        expected = self.rates.expected(categories, offsets, doubts)
        surprise = Surprise(
            predicted=mean_rate(expected),
            gains=(rates - bucket_rate) * (groups / (groups + _CAUTION)),
        )
        self.rates.learn(at[known], batch.passes[known], batch.attempts[known])
        self.rates.prices.observe(categories, batch.tokens, batch.completions)
        new = self.last_step[batch.indices] < 0
        self._add(batch, *self._aged(batch.indices, batch.steps))
        found = self.rates.take_in(
            categories, offsets, doubts, rates, batch.attempts, expected=expected
        )
        self.rates.meet(categories[new], found[0][new], found[1][new])
        self._settle(batch.indices, at, *found)
        return surprise

    def _settle(self, indices: Indices, sources: Indices, offsets: Floats, doubts: Floats) -> None:
        """Give problems new offsets, and put them where these belong."""
        self._shift(sources, indices, -1)
        self.offset[indices], self.doubt[indices] = offsets, doubts
        segments = self.tiers.seen[self.tiers.bin_of(_sigmoid(offsets.astype(np.float64)))]
        self._move(indices, sources, segments)
        self._shift(sources - sources % self.tiers.num_segments + segments, indices, 1)

    def _shift(self, buckets: Indices, indices: Indices, sign: int) -> None:
        """Tell the rates of problems that come into buckets, or leave them, as they are kept."""
        offsets = self.offset[indices].astype(np.float64)
        self.rates.shift(buckets, offsets, self.doubt[indices].astype(np.float64), sign)

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs; only problems that were ever observed take space."""
        found = super().state()
        seen = found["seen"]
        return {**found, "offset": self.offset[seen], "doubt": self.doubt[seen]}

    def start_anew(self) -> None:
        """Forget all that was observed."""
        self._to_start()
        super().start_anew()

    def take(
        self,
        indices: Indices,
        *,
        passes: NDArray[Any],
        failures: NDArray[Any],
        last_step: NDArray[np.integer],
        segments: Indices | None = None,
    ) -> None:
        """Take over evidence about problems that were never observed here.

        It tells of their offsets and of their categories' skills, as so many attempts of now; the
        segments they once were in do not matter.
        """
        if not len(indices):
            return
        at = self.buckets.bucket_of(indices)
        categories = at // self.tiers.num_segments
        offsets, doubts = self._belief(indices, categories)
        passes, failures = self._take_counts(indices, passes, failures, last_step)
        attempts = np.maximum(passes + failures, 1e-3)
        expected = self.rates.expected(categories, offsets, doubts)
        found = self.rates.take_in(
            categories, offsets, doubts, passes / attempts, attempts, expected=expected
        )
        self.rates.meet(categories, *found)
        self._settle(indices, at, *found)

    def take_saved(self, indices: Indices, saved: dict[str, Any], rows: NDArray[np.bool_]) -> None:
        """Take over `rows` of a saved history about problems that were never observed here."""
        at = self.buckets.bucket_of(indices)
        names = ("passes", "failures", "last_step")
        self._take_counts(indices, *(saved[name][rows] for name in names))
        self._settle(indices, at, saved["offset"][rows], saved["doubt"][rows])

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        super().restore(state)
        self._to_start()
        self.offset[state["seen"]], self.doubt[state["seen"]] = state["offset"], state["doubt"]


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
