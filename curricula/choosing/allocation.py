"""From shares to whole numbers of draws, with exactly known inclusion probabilities."""

import numpy as np
from numpy.random import Generator

from curricula.knowledge.tiers import Floats, Indices


def filled(shares: Floats, room: Indices, count: int) -> Floats:
    """Return the expected draws of each bucket: `count` by `shares`, none above its `room`.

    All arrays are [buckets]. What a full bucket cannot take goes to the others in proportion;
    buckets of share zero are used last. `room` must sum to at least `count`.
    """
    expected = np.zeros(len(shares))
    open_ = (room > 0) & (shares > 0)
    full = room <= 0
    shares = shares.astype(np.float64)
    left = float(count)
    while left > 0:
        if not open_.any():
            open_ = ~full
            shares = np.where(open_, room, 0.0)
        wanted = left * np.where(open_, shares, 0.0) / shares[open_].sum()
        over = open_ & (wanted >= room)
        if not over.any():
            expected += wanted
            break
        expected[over] = room[over]
        full |= over
        open_ &= ~over
        left = count - float(expected[full].sum())
    return expected


def rounded(expected: Floats, room: Indices, count: int, rng: Generator) -> Indices:
    """Round expected draws to whole ones that sum to `count`, by systematic sampling.

    They average to `expected` exactly. One random offset in [0, 1) and every whole number above it;
    a bucket gets as many draws as fall into its stretch of the cumulated expectation, that is its
    expectation rounded down or up.
    """
    ends = np.cumsum(expected)
    ends[-1] = count
    marks = np.floor(ends + rng.random()).astype(np.int64)
    counts = np.diff(np.minimum(marks, count), prepend=0)
    # Rounding of the cumulated sum can put one draw too many into a bucket that is just full.
    spilled = int((counts - np.minimum(counts, room)).sum())
    counts = np.minimum(counts, room)
    for bucket in np.flatnonzero(counts < room)[:spilled].tolist() if spilled else ():
        counts[bucket] += 1
    return np.asarray(counts)


def largest_remainder(shares: Floats, count: int) -> Indices:
    """Split `count` into whole numbers by `shares`; the largest fractions are rounded up."""
    exact = count * shares / shares.sum()
    whole = np.floor(exact + 1e-9).astype(np.int64)
    short = count - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return np.asarray(whole)
