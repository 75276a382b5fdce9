"""How good the predicted pass rates were, on the groups just seen, before they are learned from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from curricula.knowledge.tiers import Floats

_BINS = 10
_MEMORY = 0.95
"""Discount per step, so that the table shows the recent past."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliabilityRow:
    """Groups whose predicted pass rate fell into [low, high): what was predicted, what came.

    `attempts` is discounted, so not a whole number.
    """

    low: float
    high: float
    attempts: float
    predicted: float
    observed: float


class Calibration:
    """A running Brier score and reliability table of pass-rate predictions.

    Brier score: mean of (predicted - outcome)^2 over completions, outcome 1 or 0 (Brier, 1950).
    `brier_baseline` is the same for always predicting the running pass rate of all groups; the
    predictions are worth something as long as they stay below it.
    """

    def __init__(self) -> None:
        # Columns: attempts, sum of predictions, passes, sum of squared errors; by predicted rate.
        self._sums = np.zeros((_BINS, 4))
        self._step = 0

    def age(self, step: int) -> None:
        """Let what was observed before `step` count less, by the number of steps in between."""
        if step > self._step:
            self._sums *= _MEMORY ** (step - self._step)
            self._step = step

    def observe(self, predicted: Floats, passes: Floats, attempts: Floats) -> None:
        """Take in a batch of groups, arrays [groups], with the pass rates predicted for them."""
        squares = passes * (1 - predicted) ** 2 + (attempts - passes) * predicted**2
        bins = np.minimum((predicted * _BINS).astype(np.int64), _BINS - 1)
        for column, values in enumerate((attempts, attempts * predicted, passes, squares)):
            self._sums[:, column] += np.bincount(bins, values, minlength=_BINS)

    def table(self) -> list[ReliabilityRow]:
        """Return predicted against observed pass rates; rows without groups are left out."""
        return [
            ReliabilityRow(
                low=row / _BINS,
                high=(row + 1) / _BINS,
                attempts=float(attempts),
                predicted=float(predicted / attempts),
                observed=float(passes / attempts),
            )
            for row, (attempts, predicted, passes, _) in enumerate(self._sums)
            if attempts > 0
        ]

    def metrics(self) -> dict[str, float]:
        """Return `brier`, `brier_baseline` and `calibration_error` (mean gap of the table)."""
        attempts, predicted, passes, squares = self._sums.T
        total = attempts.sum()
        if not total:
            return {}
        rate = passes.sum() / total
        return {
            "brier": float(squares.sum() / total),
            "brier_baseline": float(rate * (1 - rate)),
            "calibration_error": float(np.abs(predicted - passes).sum() / total),
        }

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"sums": self._sums.copy(), "step": self._step}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._sums[:], self._step = state["sums"], state["step"]
