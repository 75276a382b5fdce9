"""The pass-rate history: a discounted Beta posterior per problem, and the tiers as a view of it.

    weight of old evidence    discount ^ (steps since it was observed)
    passes', failures'        aged evidence + this group's counts
    posterior                 Beta(k r + passes', k (1 - r) + failures')

k is `prior_strength`, r the running pass rate of the bucket the problem lies in (its category's
problems of the same standing; see `rates`). Only the evidence is stored, so the prior comes back
by itself as evidence ages. Ages are counted in steps, that is in policy versions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.knowledge.buckets import Buckets
from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.rates import BucketRates
from curricula.knowledge.tiers import Floats, Indices, TierLayout

_MOST_EVIDENCE = 2048.0
"""Attempts that a problem's evidence is scaled down to: half floats count exactly up to here."""
_ACQUAINTANCE = 4.0
"""Groups after which half of a deviation from a bucket's rate counts as a gain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retirement:
    """When a problem counts as solved or hopeless.

    With at least `evidence` (aged) attempts and a posterior pass rate of at least `solved_above`
    or at most `hopeless_below`.
    """

    evidence: float
    solved_above: float
    hopeless_below: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """A batch of results by problem index; all arrays [groups]. `buckets` are the problems'."""

    indices: Indices
    buckets: Indices
    steps: Indices
    passes: Floats
    attempts: Floats
    known: NDArray[np.bool_]
    """False where our own failures leave it open whether the group is valid."""
    completions: Indices
    tokens: Indices
    """How many completions the group has, failures of ours too, and their tokens (0: unknown)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surprise:
    """How a batch compares with what was expected of it, each [groups].

    predicted: the posterior mean pass rate of each problem, before the batch was learned from.
    gains: by how much each group beat the running pass rate of its bucket, scaled down where little
        had been observed in the bucket: getting to know a bucket is not progress in it.
    """

    predicted: Floats
    gains: Floats


class PassRateHistory:
    """What is known about the difficulty of every problem, in 18 bytes each besides its id.

    `homes` is the segment each problem starts in; without `movable` it stays there.
    """

    def __init__(
        self,
        problems: ProblemSet,
        tiers: TierLayout,
        *,
        group_size: int,
        discount: float,
        rate_discount: float,
        prior_strength: float,
        homes: NDArray[np.uint8],
        retirement: Retirement | None,
        movable: bool,
    ) -> None:
        num = len(problems)
        self.tiers = tiers
        self._discount = discount
        self._prior_strength = prior_strength
        self._retirement = retirement
        self.domain_of_category = problems.domain_of_category
        self.homes = homes
        self._movable = movable
        self.num_seen = 0
        self.buckets = Buckets(
            problems.category_codes.astype(np.int32) * tiers.num_segments + self.homes,
            len(problems.categories) * tiers.num_segments,
        )
        self.rates = BucketRates(
            problems.domain_of_category, tiers, group_size=group_size, discount=rate_discount
        )
        # Side by side, so that a problem's numbers come from memory together.
        records = np.zeros(num, dtype=[("passes", "f2"), ("failures", "f2"), ("last_step", "i4")])
        self.passes: NDArray[np.float16] = records["passes"]
        self.failures: NDArray[np.float16] = records["failures"]
        self.last_step: NDArray[np.int32] = records["last_step"]
        self.last_step[:] = -1

    @property
    def num_bytes(self) -> int:
        """Bytes held by the arrays over problems."""
        arrays = (self.homes, self.passes, self.failures, self.last_step)
        return self.buckets.num_bytes + sum(array.nbytes for array in arrays)

    def sizes(self) -> Indices:
        """Return the number of problems in each bucket, [categories, segments]."""
        return self.buckets.sizes().reshape(self.rates.groups.shape)

    def domains_of(self, buckets: Indices) -> Indices:
        """Return the domain of each of these buckets."""
        return np.asarray(self.domain_of_category[buckets // self.tiers.num_segments])

    def tiers_of(self, buckets: Indices) -> Indices:
        """Return the tier of each of these buckets: by its segment, else by its running rate."""
        return np.asarray(self.tiers_by_bucket().ravel()[buckets])

    def tiers_by_bucket(self) -> Indices:
        """Return the tier of every bucket, [categories, segments]."""
        named = self.tiers.tier_of_segment
        return np.where(named >= 0, named, self.tiers.tier_of(self.rates.pass_rate()))

    def evidence(self, indices: Indices, step: int) -> tuple[Floats, Floats]:
        """Return the passes and failures of each of these problems, aged to `step`."""
        return self._aged(indices, np.full(len(indices), step))

    def predicted(self, indices: Indices, step: int) -> Floats:
        """Return the posterior mean pass rate of each of these problems, aged to `step`."""
        at = self.buckets.bucket_of(indices)
        return self._mean(self.rates.pass_rate().ravel()[at], *self.evidence(indices, step))

    def learn(self, batch: Observed) -> Surprise:
        """Add a batch of results (each problem at most once) and put its problems in their tier.

        Returns how the batch compares with what had been expected of it.
        """
        self.rates.age(int(batch.steps.max()))
        at, known = batch.buckets, batch.known
        bucket_rate = self.rates.pass_rate().ravel()[at]
        bucket_groups = self.rates.groups.ravel()[at]
        passes, failures = self._aged(batch.indices, batch.steps)
        surprise = Surprise(
            predicted=self._mean(bucket_rate, passes, failures),
            gains=(batch.passes / batch.attempts - bucket_rate)
            * (bucket_groups / (bucket_groups + _ACQUAINTANCE)),
        )
        self.rates.learn(at[known], batch.passes[known], batch.attempts[known])
        passes, failures = self._add(batch, passes, failures)
        mean = self._mean(bucket_rate, passes, failures)
        segments = self._segments(mean, passes + failures)
        self._move(batch.indices, at, self._still_retired(at, mean, segments))
        return surprise

    def _move(self, indices: Indices, sources: Indices, segments: Indices) -> None:
        if not self._movable:
            return
        within = sources % self.tiers.num_segments
        targets = sources - within + segments
        moving = (within != segments) & (within != self.tiers.outside)
        self.buckets.move(indices[moving], sources[moving], targets[moving])

    def _mean(self, prior: Floats, passes: Floats, failures: Floats) -> Floats:
        k = self._prior_strength
        return np.asarray((k * prior + passes) / (k + passes + failures))

    def _aged(self, indices: Indices, steps: Indices) -> tuple[Floats, Floats]:
        age = np.maximum(0, steps - self.last_step[indices])
        weight = self._discount**age
        return self.passes[indices] * weight, self.failures[indices] * weight

    def _add(self, batch: Observed, passes: Floats, failures: Floats) -> tuple[Floats, Floats]:
        """Add a batch to the aged evidence of its problems; returns the sums."""
        i = batch.indices
        last = self.last_step[i]
        # A result older than what is known already (a late rollout) is itself aged.
        late = self._discount ** np.maximum(0, last - batch.steps)
        passes = passes + batch.passes * late
        failures = failures + (batch.attempts - batch.passes) * late
        scale = np.minimum(1.0, _MOST_EVIDENCE / (passes + failures))
        self.passes[i], self.failures[i] = passes * scale, failures * scale
        self.num_seen += int((last < 0).sum())
        self.last_step[i] = np.maximum(last, batch.steps)
        return passes * scale, failures * scale

    def _segments(self, mean: Floats, evidence: Floats) -> Indices:
        segments = self.tiers.seen[self.tiers.bin_of(mean)]
        if (rule := self._retirement) is not None:
            enough = evidence >= rule.evidence
            segments[enough & (mean >= rule.solved_above)] = self.tiers.solved
            segments[enough & (mean <= rule.hopeless_below)] = self.tiers.hopeless
        return segments

    def _still_retired(self, buckets: Indices, mean: Floats, segments: Indices) -> Indices:
        """A retired problem that a re-test confirms stays retired, old as its evidence may be."""
        if (rule := self._retirement) is None:
            return segments
        was = buckets % self.tiers.num_segments
        solved = (was == self.tiers.solved) & (mean >= rule.solved_above)
        hopeless = (was == self.tiers.hopeless) & (mean <= rule.hopeless_below)
        return np.where(solved | hopeless, was, segments)

    def initial_buckets(self) -> NDArray[np.int32]:
        """Return the bucket that each problem started in."""
        per_category = self.sizes().sum(1)
        codes = np.repeat(np.arange(len(per_category), dtype=np.int32), per_category)
        buckets = np.empty(len(codes), dtype=np.int32)
        buckets[self.buckets.members] = codes * self.tiers.num_segments
        return buckets + self.homes

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs; only problems that were ever observed take space."""
        seen = np.flatnonzero(self.last_step >= 0).astype(np.int32)
        return {
            "buckets": self.buckets.state(),
            "rates": self.rates.state(),
            "seen": seen,
            "segments": (self.buckets.bucket_of(seen) % self.tiers.num_segments).astype(np.uint8),
            "passes": self.passes[seen],
            "failures": self.failures[seen],
            "last_step": self.last_step[seen],
        }

    def start_anew(self) -> None:
        """Forget all that was observed."""
        self.buckets = Buckets(self.initial_buckets(), self.buckets.num_buckets)
        self.passes[:], self.failures[:], self.last_step[:] = 0, 0, -1
        self.num_seen = 0
        self.rates.forget()

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

        Without `segments` the evidence decides in which segment each of them belongs.
        """
        at = self.buckets.bucket_of(indices)
        evidence = self._take_counts(indices, passes, failures, last_step)
        if segments is None:
            mean = self._mean(self.rates.pass_rate().ravel()[at], *evidence)
            segments = self._segments(mean, evidence[0] + evidence[1])
        self._move(indices, at, segments)

    def take_saved(self, indices: Indices, saved: dict[str, Any], rows: NDArray[np.bool_]) -> None:
        """Take over `rows` of a saved history about problems that were never observed here."""
        self.take(
            indices,
            passes=saved["passes"][rows],
            failures=saved["failures"][rows],
            last_step=saved["last_step"][rows],
            segments=saved["segments"][rows].astype(np.int64),
        )

    def _take_counts(
        self,
        indices: Indices,
        passes: NDArray[Any],
        failures: NDArray[Any],
        last_step: NDArray[np.integer],
    ) -> tuple[Floats, Floats]:
        """Store evidence, scaled down to what can be stored; returns it."""
        scale = np.minimum(1.0, _MOST_EVIDENCE / np.maximum(1.0, passes + failures))
        passes, failures = passes.astype(np.float64) * scale, failures.astype(np.float64) * scale
        self.passes[indices], self.failures[indices] = passes, failures
        self.last_step[indices] = last_step
        self.num_seen += len(indices)
        return passes, failures

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self.buckets.restore(self.initial_buckets(), state["buckets"])
        self.rates.restore(state["rates"])
        seen = state["seen"]
        self.num_seen = len(seen)
        self.passes[:], self.failures[:], self.last_step[:] = 0, 0, -1
        self.passes[seen], self.failures[seen] = state["passes"], state["failures"]
        self.last_step[seen] = state["last_step"]
