"""Every problem in exactly one bucket, in arrays that cost eight bytes a problem.

`members` lists all problems, bucket after bucket; `starts` says where each bucket begins. To move
a problem to the neighbouring bucket, swap it with the last (or first) one of its own and shift the
border between the two by one. Moving is therefore O(buckets crossed), sampling O(problems drawn),
whatever the number of problems.
"""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Buckets:
    """A partition of problems 0..n-1 into `num_buckets` buckets."""

    def __init__(self, bucket_of_problem: NDArray[np.integer], num_buckets: int) -> None:
        self.num_buckets = num_buckets
        self._place(bucket_of_problem)

    def _place(self, bucket_of_problem: NDArray[np.integer]) -> None:
        # 16-bit keys get numpy's radix sort, five times faster on millions of problems.
        narrow = np.uint16 if self.num_buckets <= 2**16 else np.int32
        keys = bucket_of_problem.astype(narrow)
        self.members = np.argsort(keys, kind="stable").astype(np.int32)
        self.positions = np.empty(len(keys), dtype=np.int32)
        self.positions[self.members] = np.arange(len(keys), dtype=np.int32)
        self.starts = np.zeros(self.num_buckets + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys, minlength=self.num_buckets), out=self.starts[1:])

    @property
    def num_bytes(self) -> int:
        """Memory held."""
        return self.members.nbytes + self.positions.nbytes + self.starts.nbytes

    def sizes(self) -> Indices:
        """Problems per bucket."""
        return np.asarray(np.diff(self.starts))

    def bucket_of(self, indices: NDArray[np.integer]) -> Indices:
        """The bucket each of these problems is in."""
        return np.asarray(np.searchsorted(self.starts, self.positions[indices], side="right") - 1)

    def move(self, indices: Indices, targets: Indices) -> None:
        """Put each problem into its target bucket."""
        # Memoryviews read and write single numbers several times faster than arrays.
        members, positions, starts = self.members.data, self.positions.data, self.starts.data
        sources = self.bucket_of(indices)
        moving = sources != targets
        for problem, bucket, target in zip(
            indices[moving].tolist(),
            sources[moving].tolist(),
            targets[moving].tolist(),
            strict=True,
        ):
            at = positions[problem]
            step = 1 if bucket < target else -1
            while bucket != target:
                # The border is the upper end of this bucket going up, its lower end going down.
                border = bucket + 1 if step > 0 else bucket
                edge = starts[border] - 1 if step > 0 else starts[border]
                if edge != at:
                    other = members[edge]
                    members[at], positions[other] = other, at
                    at = edge
                starts[border] -= step
                bucket += step
            members[at], positions[problem] = problem, at

    def sample(self, counts: Indices, excluded: Indices, rng: Generator) -> Indices:
        """Without replacement, `counts[b]` problems of each bucket b, none of them `excluded`.

        Within a bucket every allowed set of problems is equally likely. The caller makes sure that
        a bucket holds enough.
        """
        excluded = np.unique(excluded)
        blocked = np.bincount(self.bucket_of(excluded), minlength=self.num_buckets)
        sizes = self.sizes()
        # Where few are left to choose from, list them; elsewhere propose, and refuse the taken.
        crowded = (counts > 0) & (sizes < 4 * (blocked + counts))
        chosen = [
            self._listed(bucket, int(counts[bucket]), excluded, rng)
            for bucket in np.flatnonzero(crowded).tolist()
        ]
        taken = excluded
        wanted = np.repeat(np.arange(self.num_buckets), np.where(crowded, 0, counts))
        while len(wanted):
            proposed = self.members[self.starts[wanted] + rng.integers(0, sizes[wanted])]
            fresh = np.zeros(len(wanted), dtype=bool)
            fresh[np.unique(proposed, return_index=True)[1]] = True
            fresh &= ~_contains(taken, proposed)
            chosen.append(proposed[fresh].astype(np.int64))
            taken = np.sort(np.concatenate([taken, proposed[fresh]]))
            wanted = wanted[~fresh]
        return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)

    def _listed(self, bucket: int, count: int, excluded: Indices, rng: Generator) -> Indices:
        inside = self.members[self.starts[bucket] : self.starts[bucket + 1]].astype(np.int64)
        inside = inside[~_contains(excluded, inside)]
        return rng.choice(inside, count, replace=False)

    def state(self, homes: NDArray[np.integer]) -> dict[str, Any]:
        """What differs from the initial placement by `homes` (bucket of each problem at first)."""
        initial = Buckets(homes, self.num_buckets)
        moved = np.flatnonzero(initial.members != self.members).astype(np.int32)
        return {"moved": moved, "members": self.members[moved], "starts": self.starts.copy()}

    def restore(self, homes: NDArray[np.integer], state: dict[str, Any]) -> None:
        """The exact arrangement that `state` was taken of, given the same homes."""
        self._place(homes)
        moved = state["moved"]
        self.members[moved] = state["members"]
        self.positions[self.members[moved]] = moved
        self.starts[:] = state["starts"]


def _contains(ordered: NDArray[np.integer], values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which values occur in a sorted array."""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[at] == values)
