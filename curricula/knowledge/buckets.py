"""Every problem in exactly one bucket, in arrays that cost nine bytes a problem.

`members` lists all problems, bucket after bucket; `starts` says where each bucket begins. When a
problem changes its bucket, the buckets between the old and the new one shift by one position, for
which only their first and last members must move: order within a bucket means nothing. Moving a
batch is therefore O(problems moved x buckets in between), sampling O(problems drawn), whatever the
number of problems.
"""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from curricula.errors import DamagedStateError
from curricula.knowledge.tiers import Indices


class Buckets:
    """A partition of problems 0..n-1 into `num_buckets` buckets."""

    def __init__(self, bucket_of_problem: NDArray[np.integer], num_buckets: int) -> None:
        self.num_buckets = num_buckets
        self._arrange(bucket_of_problem)

    def _arrange(self, bucket_of_problem: NDArray[np.integer]) -> None:
        # Radix sort, which numpy has for 16 bits, is five times faster on millions of problems.
        narrow = np.uint16 if self.num_buckets <= 2**16 else np.int32
        keys = bucket_of_problem.astype(narrow)
        self.members = np.argsort(keys, kind="stable").astype(np.int32)
        self.positions = np.empty(len(keys), dtype=np.int32)
        self.positions[self.members] = np.arange(len(keys), dtype=np.int32)
        self._written = np.zeros(len(keys), dtype=bool)
        self.starts = np.zeros(self.num_buckets + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=self.num_buckets), out=self.starts[1:])

    @property
    def num_bytes(self) -> int:
        """Bytes held."""
        arrays = (self.members, self.positions, self._written, self.starts)
        return sum(array.nbytes for array in arrays)

    def sizes(self) -> Indices:
        """Return the number of problems in each bucket."""
        return np.asarray(np.diff(self.starts))

    def bucket_of(self, indices: NDArray[np.integer]) -> Indices:
        """Return the bucket that each of these problems is in."""
        return np.asarray(np.searchsorted(self.starts, self.positions[indices], side="right") - 1)

    def move(self, indices: Indices, sources: Indices, targets: Indices) -> None:
        """Move each problem from its bucket to another one.

        The buckets' ranges shift by a few positions. A problem whose position is still in its
        bucket's range stays; the others and the moved ones go to the positions that came into it.
        """
        begin, end = self.starts[:-1], self.starts[1:]
        sizes = end - begin
        sizes += np.bincount(targets, minlength=self.num_buckets)
        sizes -= np.bincount(sources, minlength=self.num_buckets)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        new_begin, new_end = starts[:-1], starts[1:]
        left, left_bucket = _ranges(
            (begin, np.minimum(new_begin, end)), (np.maximum(new_end, begin), end)
        )
        came, came_bucket = _ranges(
            (new_begin, np.minimum(begin, new_end)), (np.maximum(end, new_begin), new_end)
        )
        freed = self.positions[indices].astype(np.int64)
        driven_out = ~contains(np.sort(freed), left)
        still_inside = (freed >= new_begin[sources]) & (freed < new_end[sources])
        problems = np.concatenate([self.members[left[driven_out]], indices])
        positions = np.concatenate([came, freed[still_inside]])
        problems = problems[_by(np.concatenate([left_bucket[driven_out], targets]))]
        positions = positions[_by(np.concatenate([came_bucket, sources[still_inside]]))]
        self.members[positions] = problems
        self._written[positions] = True
        self.positions[problems] = positions
        self.starts[:] = starts

    def occupied(self, indices: NDArray[np.integer]) -> Indices:
        """Return how many of these problems each bucket holds."""
        return np.bincount(self.bucket_of(indices), minlength=self.num_buckets)

    def sample(
        self, counts: Indices, excluded: Indices, occupied: Indices, rng: Generator
    ) -> tuple[Indices, Indices]:
        """Sample without replacement `counts[b]` problems of each bucket b, none `excluded`.

        `excluded` is sorted and without repeats; `occupied` says how many of it each bucket holds.
        Within a bucket every allowed set of problems is equally likely. The caller makes sure that
        a bucket holds enough. Returns the problems, and the bucket of each.
        """
        sizes = self.sizes()
        # Where few are left to choose from, list them; elsewhere propose, and refuse the taken.
        crowded = (counts > 0) & (sizes < 4 * (occupied + counts))
        chosen, buckets = self._listed(np.where(crowded, counts, 0), excluded, rng)
        wanted = np.repeat(np.arange(self.num_buckets), np.where(crowded, 0, counts))
        taken = excluded
        while len(wanted):
            positions = self.starts[wanted] + rng.integers(0, sizes[wanted])
            proposed = self.members[positions].astype(np.int64)
            fresh = ~contains(taken, proposed) & _first(proposed)
            chosen = np.concatenate([chosen, proposed[fresh]])
            buckets = np.concatenate([buckets, wanted[fresh]])
            wanted = wanted[~fresh]
            if len(wanted):
                taken = np.sort(np.concatenate([taken, proposed[fresh]]))
        return chosen, buckets

    def _listed(
        self, counts: Indices, excluded: Indices, rng: Generator
    ) -> tuple[Indices, Indices]:
        """Shuffle all that may be chosen, then take the first `counts[b]` of each bucket b."""
        wanted = np.flatnonzero(counts)
        sizes = self.sizes()[wanted]
        firsts = np.repeat(self.starts[wanted] - (np.cumsum(sizes) - sizes), sizes)
        inside = self.members[firsts + np.arange(len(firsts))].astype(np.int64)
        within = np.repeat(wanted, sizes)
        free = ~contains(excluded, inside)
        inside, within = inside[free], within[free]
        order = np.lexsort((rng.random(len(inside)), within))
        inside, within = inside[order], within[order]
        rank = np.arange(len(within)) - np.searchsorted(within, within)
        first: NDArray[np.bool_] = rank < counts[within]
        return inside[first], within[first]

    def state(self) -> dict[str, Any]:
        """Return what may differ from the first arrangement: every position ever written to."""
        positions = np.flatnonzero(self._written).astype(np.int32)
        return {
            "positions": positions,
            "members": self.members[positions],
            "starts": self.starts.copy(),
        }

    def restore(self, homes: NDArray[np.integer], state: dict[str, Any]) -> None:
        """Load what `state()` returned; `homes` are the buckets that the problems started in.

        DamagedStateError when a problem would be in no bucket, or in two.
        """
        self._arrange(homes)
        positions = state["positions"]
        self.members[positions] = state["members"]
        self.positions[state["members"]] = positions
        self._written[positions] = True
        self.starts[:] = state["starts"]
        everyone = np.arange(len(self.members))
        if (self.positions[self.members] != everyone).any() or (
            (self.starts[0], self.starts[-1]) != (0, len(everyone)) or (self.sizes() < 0).any()
        ):
            raise DamagedStateError(
                "history.buckets: expected every problem in one bucket, found others"
            )


def _ranges(*bounds: tuple[Indices, Indices]) -> tuple[Indices, Indices]:
    """All numbers in [begin[b], end[b]) of every bucket b and given pair, and their b."""
    begin = np.concatenate([pair[0] for pair in bounds])
    lengths = np.concatenate([pair[1] for pair in bounds]) - begin
    filled = np.flatnonzero(lengths > 0)
    begin, lengths = begin[filled], lengths[filled]
    ends = np.cumsum(lengths)
    numbers = np.repeat(begin - (ends - lengths), lengths)
    numbers += np.arange(len(numbers))
    return numbers, np.repeat(filled % len(bounds[0][0]), lengths)


def _by(buckets: Indices) -> Indices:
    """The order that groups by bucket."""
    # Radix sort, which numpy has for 16 bits, is several times faster.
    narrow = buckets.astype(np.uint16) if buckets.max(initial=0) < 2**16 else buckets
    return np.argsort(narrow, kind="stable")


def distinct(values: Indices) -> Indices:
    """Return the values sorted and without repeats.

    On thousands of numbers this is several times faster than np.unique.
    """
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _first(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which values (0 or more each) did not occur earlier in the array."""
    order = np.argsort(values, kind="stable")
    first = np.empty(len(values), dtype=bool)
    first[order] = np.diff(values[order], prepend=-1) > 0
    return first


def contains(ordered: NDArray[np.integer], values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which of the values occur in a sorted array."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[at] == values)
