"""Difficulty tiers, and the segments of a category that are views of them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curricula.errors import SettingsError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class TierLayout:
    """How the problems of one category are split into segments.

    Tiers run from the easiest to the hardest; `boundaries` are the pass rates between them. A
    problem is in a `seen` segment of the tier of its posterior pass rate once it was observed.
    Before, it is in an `unseen` segment of the tier of its offline pass rate, or in the one segment
    `unknown` when it has none. `solved` and `hopeless` hold retired problems.

    Segments are ordered so that the usual moves (unknown to a tier, a tier to the next) are short:
    solved, seen and unseen of each tier with unknown in the middle, hopeless.
    """

    def __init__(self, names: Sequence[str], boundaries: Sequence[float]) -> None:
        check_tiers(names, boundaries)
        self.names = tuple(names)
        self._rising = np.array(boundaries[::-1], dtype=np.float64)
        num = len(names)
        middle = num // 2
        tiers = np.arange(num)
        self.solved = 0
        self.seen: Indices = 1 + 2 * tiers + (tiers > middle)
        self.unseen: Indices = self.seen + 1
        self.unknown = int(self.unseen[middle]) + 1
        self.hopeless = 2 * num + 2
        self.num_segments = 2 * num + 3
        edges = np.concatenate([[1.0], boundaries, [0.0]])
        self.centres: Floats = (edges[:-1] + edges[1:]) / 2
        self.tier_of_segment = np.full(self.num_segments, -1, dtype=np.int64)
        self.tier_of_segment[self.seen] = self.tier_of_segment[self.unseen] = tiers
        self.tier_of_segment[self.solved] = 0
        self.tier_of_segment[self.hopeless] = num - 1
        self.expected_rate = self._expected_rates()
        self.retired = np.zeros(self.num_segments, dtype=bool)
        self.retired[[self.solved, self.hopeless]] = True

    def _expected_rates(self) -> Floats:
        """The pass rate to expect in each segment before anything was observed in it."""
        rates = np.full(self.num_segments, 0.5)
        rates[self.seen] = rates[self.unseen] = self.centres
        rates[self.solved], rates[self.hopeless] = 0.98, 0.02
        return rates

    def tier_of(self, pass_rates: Floats) -> Indices:
        """0 is the easiest; a rate on a boundary belongs to the easier tier."""
        rising = np.searchsorted(self._rising, pass_rates, side="right")
        return len(self.names) - 1 - rising

    def homes(self, prior_pass_rates: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The segment of each problem nobody has observed yet."""
        ungraded = np.isnan(prior_pass_rates)
        tiers = self.tier_of(np.where(ungraded, 0.5, prior_pass_rates).astype(np.float64))
        return np.where(ungraded, self.unknown, self.unseen[tiers]).astype(np.uint8)

    def describe(self) -> list[float | str]:
        """Names and boundaries, for a saved state."""
        return [*self.names, *self._rising[::-1].tolist()]


def check_tiers(names: Sequence[str], boundaries: Sequence[float]) -> None:
    """SettingsError unless these make tiers."""
    if not 2 <= len(names) <= 100 or len(set(names)) != len(names):
        raise SettingsError(f"expected 2 to 100 different tier names, found {list(names)}")
    if len(boundaries) != len(names) - 1:
        raise SettingsError(
            f"expected {len(names) - 1} boundaries between {len(names)} tiers, "
            f"found {len(boundaries)}: {list(boundaries)}"
        )
    edges = [1.0, *boundaries, 0.0]
    if not all(easier > harder for easier, harder in pairwise(edges)):
        raise SettingsError(
            "expected boundaries as pass rates falling from the easiest tier to the hardest, "
            f"inside (0, 1), found {list(boundaries)}"
        )
