"""Difficulty tiers, and the segments of a category that are views of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curricula.settings import check_tiers

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class TierLayout:
    """How the problems of one category are split into segments.

    Tiers run from the easiest to the hardest; `boundaries` are the pass rates between them. Each
    tier is split evenly into `bins_per_tier` bins where a finer view is wanted. A problem is in the
    `seen` segment of the bin of its posterior pass rate once it was observed. Before, it is in the
    `unseen` segment of the bin of its offline pass rate, or in the one segment `unknown` when it
    has none. `solved` and `hopeless` hold retired problems, `outside` those never to be drawn.

    Segments are ordered so that the usual moves (unknown to a bin, a bin to the next) are short:
    solved, seen and unseen of each bin with unknown in the middle, hopeless, outside.
    """

    def __init__(
        self, names: Sequence[str], boundaries: Sequence[float], bins_per_tier: int = 1
    ) -> None:
        check_tiers(names, boundaries)
        self.names = tuple(names)
        self._bins_per_tier = bins_per_tier
        edges = np.concatenate([[1.0], boundaries, [0.0]])
        fractions = np.arange(bins_per_tier) / bins_per_tier
        fine = np.append((edges[:-1, None] + np.diff(edges)[:, None] * fractions).ravel(), 0.0)
        self._rising = fine[1:-1][::-1].copy()
        self.tier_centres: Floats = (edges[:-1] + edges[1:]) / 2
        bins = np.arange(len(names) * bins_per_tier)
        middle = len(bins) // 2
        self.solved = 0
        self.seen: Indices = 1 + 2 * bins + (bins > middle)
        self.unseen: Indices = self.seen + 1
        self.unknown = int(self.unseen[middle]) + 1
        self.hopeless = 2 * len(bins) + 2
        self.outside = self.hopeless + 1
        self.num_segments = self.outside + 1
        self.tier_of_segment = np.full(self.num_segments, -1, dtype=np.int64)
        self.tier_of_segment[self.seen] = bins // bins_per_tier
        self.tier_of_segment[self.unseen] = bins // bins_per_tier
        self.tier_of_segment[self.solved] = 0
        self.tier_of_segment[self.hopeless] = len(names) - 1
        self.expected_rate: Floats = np.full(self.num_segments, 0.5)
        self.expected_rate[self.seen] = (fine[:-1] + fine[1:]) / 2
        self.expected_rate[self.unseen] = self.expected_rate[self.seen]
        self.expected_rate[self.solved], self.expected_rate[self.hopeless] = 0.98, 0.02
        self.retired = np.zeros(self.num_segments, dtype=bool)
        self.retired[[self.solved, self.hopeless]] = True

    def bin_of(self, pass_rates: Floats) -> Indices:
        """Return the bin of each pass rate, 0 the easiest; a boundary belongs to the easier bin."""
        return len(self._rising) - np.searchsorted(self._rising, pass_rates, side="right")

    def tier_of(self, pass_rates: Floats) -> Indices:
        """Return the tier of each pass rate: 0 is the easiest."""
        return self.bin_of(pass_rates) // self._bins_per_tier

    def homes(self, prior_pass_rates: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the segment in which each problem starts, before anybody has observed it."""
        ungraded = np.isnan(prior_pass_rates)
        bins = self.bin_of(np.where(ungraded, 0.5, prior_pass_rates).astype(np.float64))
        return np.where(ungraded, self.unknown, self.unseen[bins]).astype(np.uint8)

    def describe(self) -> list[float | str]:
        """Return names and boundaries, as a saved state keeps them."""
        return [*self.names, *self._rising[::-1].tolist()]
