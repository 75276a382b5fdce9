"""What the samplers have in common that give every problem a score of its own."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from curricula.choosing.allocation import filled, rounded
from curricula.choosing.choosers import Choice
from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats, Indices


class ScoredChooser(ABC):
    """Takes problems by their scores: the highest, or by chance in proportion to them.

    A subclass says what `score` returns, learns in `observe`, and names in `arrays` the numbers
    that it keeps. With `by_chance` scores are weights of at least 0, and the probability of each
    draw is known; the highest scores are taken for sure, with probability 1, and ties at random.
    """

    by_chance = False

    def __init__(self, history: PassRateHistory) -> None:
        self.history = history
        self.num = len(history.homes)
        self.arrays: dict[str, NDArray[Any]] = {}

    @abstractmethod
    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return the score of every problem at `step`; without `rng`, its expectation."""

    @abstractmethod
    def observe(self, batch: Observed) -> None:
        """Take in results."""

    def predicted(self, indices: Indices, step: int) -> Floats | None:
        """Return None: it has no pass rates of its own."""
        return None

    def choose(
        self, count: int, *, step: int, drawn: Indices, resting: Indices, rng: Generator
    ) -> Choice:
        """Choose `count` problems, none of them drawn in this step before."""
        scores = self.score(step, rng)
        free = np.ones(self.num, dtype=np.int64)
        free[drawn] = 0
        missing = max(0, count - int(free.sum()))
        count -= missing
        if self.by_chance:
            expected = filled(scores * free, free, count)
            indices = np.flatnonzero(rounded(expected, free, count, rng))
            probabilities = expected[indices]
        else:
            order = np.lexsort((rng.random(self.num), -np.where(free, scores, -np.inf)))
            indices, probabilities = order[:count], np.ones(count)
        shuffled = rng.permutation(len(indices))
        indices = indices[shuffled]
        return Choice(
            indices=indices,
            buckets=self.history.buckets.bucket_of(indices),
            probabilities=probabilities[shuffled],
            missing=missing,
        )

    def chances(self, indices: Indices, count: int, *, step: int, resting: Indices) -> Floats:
        """Return the inclusion probability of each of these, by the expected scores."""
        scores, free = self.score(step, None), np.ones(self.num, dtype=np.int64)
        count = min(count, self.num)
        if self.by_chance:
            return np.asarray(filled(scores, free, count)[indices])
        taken = np.zeros(self.num)
        taken[np.argsort(-scores, kind="stable")[:count]] = 1.0
        return np.asarray(taken[indices])

    def terms(
        self, indices: Indices, count: int, *, step: int, resting: Indices
    ) -> dict[str, Floats]:
        """Return the scores as weights."""
        return {"weight": self.score(step, None)[indices]}

    def expected_valid(self, step: int, count: int) -> float:
        """Return the mean chance of a valid group over all problems: none of these expands."""
        sizes = self.history.sizes()
        return float((sizes * self.history.rates.valid_chance()).sum() / sizes.sum())

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {name: array.copy() for name, array in self.arrays.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        for name, array in self.arrays.items():
            array[...] = state[name]


def mean_absolute_advantage(passes: Floats, attempts: Floats) -> Floats:
    """Return the mean of |reward - mean| / deviation over each group; of a uniform group 0.

    With a share p of ones it is 2 p (1 - p) / sqrt(p (1 - p)) = 2 sqrt(p (1 - p)).
    """
    rate = passes / attempts
    return np.asarray(2 * np.sqrt(rate * (1 - rate)))
