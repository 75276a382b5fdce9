"""Which problems to draw: by weighted buckets, or in shuffled epochs."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from curricula.choosing.allocation import filled, rounded
from curricula.choosing.domains import DomainShares
from curricula.choosing.weighing import Weigher
from curricula.knowledge.buckets import contains, distinct
from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats, Indices


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Problems to draw, in random order, each with its bucket and inclusion probability.

    `relaxed` counts draws for which the least gap or retirement had to be set aside, `missing`
    those that no problem was left for, `displaced` those that went to another domain than the
    domains' shares say, because theirs had no problems left.
    """

    indices: Indices
    buckets: Indices
    probabilities: Floats
    relaxed: int = 0
    missing: int = 0
    displaced: int = 0


class Chooser(Protocol):
    """Picks the problems of a draw.

    None of them is in `drawn` (drawn in this step already), and none in `resting` (drawn a short
    while ago) as long as there are others.
    """

    def choose(
        self, count: int, *, step: int, drawn: Indices, resting: Indices, rng: Generator
    ) -> Choice:
        """Choose `count` problems, or as many as there are."""
        ...

    def chances(self, indices: Indices, count: int, *, step: int, resting: Indices) -> Floats:
        """Return the inclusion probability of each of these, were `count` problems chosen now."""
        ...

    def terms(
        self, indices: Indices, count: int, *, step: int, resting: Indices
    ) -> dict[str, Floats]:
        """Return what the chances of these problems come from; see `SamplingCurriculum.explain`."""
        ...

    def expected_valid(self, step: int, count: int) -> float:
        """Return the share of `count` groups that would be valid, as far as is known."""
        ...

    def observe(self, batch: Observed) -> None:
        """Take in results, after the history did; for choosers that keep numbers of their own."""
        ...

    def predicted(self, indices: Indices, step: int) -> Floats | None:
        """Return the pass rate of each of these by the chooser's own model; None: the history's."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What keeps a weighted chooser from narrowing down.

    exploration: share of the draws spread evenly over all problems not retired.
    retest_after, retest_share: a retired problem is drawn once in `retest_after` steps on average,
    all of them together take at most `retest_share` of the draws.
    """

    exploration: float
    retest_after: int
    retest_share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """A draw of `count` problems before chance decides; arrays [buckets] but `excluded`."""

    count: int
    expected: Floats
    room: Indices
    excluded: Indices
    occupied: Indices
    relaxed: int


class WeightedChooser:
    """Draws from (category, segment) buckets: `weigh` says how much a problem of each is wanted.

    A weight of zero means never: exploration and re-tests do not reach such a bucket either.
    """

    def __init__(
        self,
        history: PassRateHistory,
        weigh: Weigher,
        coverage: Coverage,
        domains: DomainShares,
    ) -> None:
        self._history = history
        self._weigh = weigh
        self._coverage = coverage
        self._domains = domains
        num_categories, num_segments = history.rates.groups.shape
        self._retired: NDArray[np.bool_] = np.tile(history.tiers.retired, num_categories)
        self._domain_of_bucket = np.repeat(history.domain_of_category, num_segments)

    def choose(
        self, count: int, *, step: int, drawn: Indices, resting: Indices, rng: Generator
    ) -> Choice:
        """Choose by weight between buckets, rounded systematically, and evenly within a bucket."""
        plan = self._plan(count, step, drawn, resting, rng)
        counts = rounded(plan.expected, plan.room, plan.count, rng)
        buckets = self._history.buckets
        indices, at = buckets.sample(counts, plan.excluded, plan.occupied, rng)
        order = rng.permutation(len(indices))
        indices, at = indices[order], at[order]
        return Choice(
            indices=indices,
            buckets=at,
            probabilities=plan.expected[at] / plan.room[at],
            relaxed=plan.relaxed,
            missing=count - plan.count,
            displaced=self._displaced(plan.expected, plan.count),
        )

    def chances(self, indices: Indices, count: int, *, step: int, resting: Indices) -> Floats:
        """Return the inclusion probability of each of these, were `count` problems chosen now.

        With Thompson sampling it is that of the expected weights.
        """
        plan = self._plan(count, step, np.empty(0, dtype=np.int64), resting, None)
        at = self._history.buckets.bucket_of(indices)
        free = (plan.room[at] > 0) & ~contains(plan.excluded, indices)
        return np.where(free, plan.expected[at] / np.maximum(1, plan.room[at]), 0.0)

    def terms(
        self, indices: Indices, count: int, *, step: int, resting: Indices
    ) -> dict[str, Floats]:
        """Return what the chances of these problems come from, by their buckets."""
        plan = self._plan(count, step, np.empty(0, dtype=np.int64), resting, None)
        at = self._history.buckets.bucket_of(indices)
        return {
            "weight": self._weigh(step, None).ravel()[at],
            "bucket_problems": plan.room[at].astype(np.float64),
            "bucket_draws": plan.expected[at],
            "resting": contains(plan.excluded, indices).astype(np.float64),
            "retired": self._retired[at].astype(np.float64),
        }

    def _plan(
        self, count: int, step: int, drawn: Indices, resting: Indices, rng: Generator | None
    ) -> _Plan:
        weights = self._weigh(step, rng).ravel()
        buckets = self._history.buckets
        excluded = distinct(np.concatenate([drawn, resting]))
        occupied = buckets.occupied(excluded)
        room = np.where(weights > 0, buckets.sizes() - occupied, 0)
        relaxed = max(0, count - int(room[~self._retired].sum()))
        if relaxed and int(room.sum()) < count:
            excluded = distinct(drawn)
            occupied = buckets.occupied(excluded)
            room = np.where(weights > 0, buckets.sizes() - occupied, 0)
        missing = max(0, count - int(room.sum()))
        count -= missing
        shares = self._shares(weights, room, count, retired_too=relaxed > 0)
        return _Plan(
            count=count,
            expected=filled(shares, room, count),
            room=room,
            excluded=excluded,
            occupied=occupied,
            relaxed=relaxed - missing,
        )

    def _displaced(self, expected: Floats, count: int) -> int:
        wanted = self._domains.of_draw(count)
        if wanted is None:
            return 0
        found = np.bincount(self._domain_of_bucket, expected, minlength=len(wanted))
        return round(float(np.maximum(0, count * wanted - found).sum()))

    def expected_valid(self, step: int, count: int) -> float:
        """Return the mean chance of a valid group, each bucket by its share of the draws."""
        room = self._history.buckets.sizes()
        shares = self._shares(self._weigh(step, None).ravel(), room, count, retired_too=False)
        return float((shares * self._history.rates.valid_chance().ravel()).sum())

    def _shares(self, weights: Floats, room: Indices, count: int, *, retired_too: bool) -> Floats:
        """Share of the draws for each bucket; sums to one unless nothing may be drawn."""
        open_ = np.where(weights > 0, room, 0)
        resting = self._retired & (not retired_too)
        usual = _share_out(np.where(resting, 0.0, open_ * weights))
        evenly = _share_out(np.where(resting, 0, open_))
        shares = (1 - self._coverage.exploration) * usual + self._coverage.exploration * evenly
        retired = np.where(self._retired & (not retired_too), open_, 0)
        due = retired.sum() / self._coverage.retest_after / max(1, count)
        share = min(self._coverage.retest_share, due)
        return self._by_domain((1 - share) * shares + share * _share_out(retired), count)

    def _by_domain(self, shares: Floats, count: int) -> Floats:
        """Scale each domain to its share; what a domain without problems leaves, others take."""
        wanted = self._domains.of_draw(count)
        if wanted is None:
            return shares
        found = np.bincount(self._domain_of_bucket, shares, minlength=len(wanted))
        factors = np.where(found > 0, wanted / np.where(found > 0, found, 1.0), 0.0)
        return _share_out(shares * factors[self._domain_of_bucket])

    def observe(self, batch: Observed) -> None:
        """Do nothing: all that this object goes by is in the history."""

    def predicted(self, indices: Indices, step: int) -> Floats | None:
        """Return None: what the history predicts is what this goes by."""
        return None

    def state(self) -> dict[str, Any]:
        """Return nothing: all that this object goes by is in the history."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing: all that this object goes by is in the history."""


def _share_out(amounts: NDArray[Any]) -> Floats:
    total = amounts.sum()
    return amounts / total if total > 0 else np.zeros(len(amounts))


class EpochChooser:
    """Chooses every problem once in an epoch, in an order shuffled anew each time.

    The order is a keyed permutation computed position by position (a Feistel network of four
    rounds over the next power of four, walked until it lands inside), so it costs nothing to keep
    or to save.
    """

    def __init__(self, history: PassRateHistory, seed: int) -> None:
        self._history = history
        self._seed = seed
        self._num = len(history.homes)
        self._half_bits = max(1, (max(self._num - 1, 1).bit_length() + 1) // 2)
        self._cursor = 0

    def choose(
        self, count: int, *, step: int, drawn: Indices, resting: Indices, rng: Generator
    ) -> Choice:
        """Choose what comes next in the epoch, and after its end what is new in this step."""
        available = self._num - len(drawn)
        missing = max(0, count - available)
        taken = np.unique(drawn)
        chosen: list[Indices] = []
        left = count - missing
        while left:
            epoch, position = divmod(self._cursor, self._num)
            stop = min(self._num, position + left)
            indices = self._order(epoch, np.arange(position, stop))
            fresh = indices[~np.isin(indices, taken)]
            chosen.append(fresh)
            taken = np.union1d(taken, fresh)
            left -= len(fresh)
            self._cursor += stop - position
        indices = np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)
        chance = (count - missing) / max(1, available)
        return Choice(
            indices=indices,
            buckets=self._history.buckets.bucket_of(indices),
            probabilities=np.full(len(indices), chance),
            missing=missing,
        )

    def chances(self, indices: Indices, count: int, *, step: int, resting: Indices) -> Floats:
        """Return the inclusion probability of each of these, were `count` problems chosen now.

        The order of the epoch counts as unknown.
        """
        return np.full(len(indices), min(1.0, count / self._num))

    def terms(
        self, indices: Indices, count: int, *, step: int, resting: Indices
    ) -> dict[str, Floats]:
        """Return nothing: every problem comes once in an epoch."""
        return {}

    def expected_valid(self, step: int, count: int) -> float:
        """Return the mean chance of a valid group, each bucket by its size."""
        sizes = self._history.sizes()
        return float((sizes * self._history.rates.valid_chance()).sum() / sizes.sum())

    def observe(self, batch: Observed) -> None:
        """Do nothing: the order does not depend on results."""

    def predicted(self, indices: Indices, step: int) -> Floats | None:
        """Return None: it predicts nothing."""
        return None

    def _order(self, epoch: int, positions: Indices) -> Indices:
        """Which problem comes at each position of an epoch."""
        values = self._permuted(epoch, positions.astype(np.uint64))
        while (outside := values >= self._num).any():
            values[outside] = self._permuted(epoch, values[outside])
        return values.astype(np.int64)

    def _permuted(self, epoch: int, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        bits, mask = np.uint64(self._half_bits), np.uint64(2**self._half_bits - 1)
        left, right = values >> bits, values & mask
        keys = np.random.default_rng([self._seed, epoch]).integers(0, 2**63, 4, dtype=np.uint64)
        for key in keys:
            mixed = (right ^ key) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            left, right = right, (left ^ (mixed >> np.uint64(32))) & mask
        return np.asarray((left << bits) | right)

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"cursor": self._cursor, "seed": self._seed}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._cursor, self._seed = state["cursor"], state["seed"]
