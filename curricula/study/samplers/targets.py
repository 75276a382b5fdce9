"""Samplers that aim at a difficulty or at a variance: AdaRFT, VCRL, LILO."""

import math
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from curricula.choosing.pacing import Estimate
from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats
from curricula.study.samplers.scored import ScoredChooser
from curricula.study.samplers.settings import AdarftSettings, VcrlSettings

_HARDEST = 100.0


class Adarft(ScoredChooser):
    """AdaRFT, adaptive curriculum by a moving target difficulty (Shi et al., arXiv 2504.05520).

    A problem's difficulty d is 100 (1 - its offline pass rate), that of an ungraded one by the mean
    of its category. The batch are the problems closest to the target T; with the batch's mean
    reward R after each of them

        T = clip(T + step_size * tanh(sensitivity * (R - target_reward)), 0, 100),   at first 0
    """

    def __init__(
        self, history: PassRateHistory, settings: AdarftSettings, offline_rates: NDArray[Any]
    ) -> None:
        super().__init__(history)
        self._settings = settings
        self._difficulty = _HARDEST * (1 - offline_rates)
        self.arrays = {"target": np.zeros(1)}

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return minus the distance from the target."""
        return np.asarray(-np.abs(self._difficulty - self.arrays["target"][0]))

    def observe(self, batch: Observed) -> None:
        """Move the target by the batch's mean reward."""
        reward = float(batch.passes.sum() / batch.attempts.sum())
        move = math.tanh(self._settings.sensitivity * (reward - self._settings.target_reward))
        target = self.arrays["target"]
        target[0] = min(_HARDEST, max(0.0, target[0] + self._settings.step_size * move))


class Vcrl(ScoredChooser):
    """VCRL, variance-based curriculum with a memory bank (Jiang et al., arXiv 2509.19803).

    A group of G with s passes has the normalised variance v = s (G - s) / (G^2 / 4), in which the
    divisor is floor(G / 2) * ceil(G / 2). Groups below the threshold are removed from the batch,
    and as many problems are drawn in their place from a bank of those that were kept before, the
    highest priority first:

        priority = momentum * priority + (1 - momentum) * v        when a problem is rolled out

    A problem enters the bank with priority v when its v reaches the threshold, and leaves it when
    it falls below. Not verified: the thresholds' schedule, and how the bank's problems are replayed
    (here they are rolled out anew by the current policy).
    """

    def __init__(self, history: PassRateHistory, settings: VcrlSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {
            "priority": np.full(self.num, -1.0),
            "removed": np.zeros(1, dtype=np.int64),
            "draws": np.zeros(1, dtype=np.int64),
            "step": np.full(1, -1, dtype=np.int64),
        }

    @property
    def num_removed(self) -> int:
        """How many groups of the running step fell below the threshold."""
        return int(self.arrays["removed"][0])

    def _threshold(self, step: int) -> float:
        early = step < self._settings.first_steps
        return self._settings.first_threshold if early else self._settings.threshold

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return the same for all at a step's first draw, then the priorities."""
        if self.arrays["step"][0] != step:
            self.arrays["step"][0], self.arrays["draws"][0] = step, 0
            self.arrays["removed"][0] = 0
        if rng is None or self.arrays["draws"][0] == 0:
            self.arrays["draws"][0] += rng is not None
            return np.zeros(self.num)
        return np.asarray(self.arrays["priority"])

    def observe(self, batch: Observed) -> None:
        """Renew the priorities, and count what is removed."""
        half = np.floor(batch.attempts / 2)
        variance = batch.passes * (batch.attempts - batch.passes)
        variance = variance / np.maximum(1, half * (batch.attempts - half))
        old = self.arrays["priority"][batch.indices]
        momentum = self._settings.momentum
        renewed = np.where(old < 0, variance, momentum * old + (1 - momentum) * variance)
        kept = variance >= self._threshold(int(batch.steps.max()))
        self.arrays["priority"][batch.indices] = np.where(kept, renewed, -1.0)
        self.arrays["removed"][0] += int((~kept).sum())


class _Stateless:
    """A pacing that keeps nothing between draws."""

    def observe(self, num_valid: int, num_known: int) -> None:
        """Do nothing."""

    def end_step(self) -> None:
        """Do nothing."""

    def state(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing."""


class Replaced(_Stateless):
    """VCRL's two draws of a step: the batch, then as many as were removed from it."""

    def __init__(self, chooser: Vcrl) -> None:
        self._chooser = chooser

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """Return `wanted`, then the number of removed groups that the bank can replace."""
        if draws == 0:
            return wanted
        banked = int((self._chooser.arrays["priority"] >= 0).sum())
        return min(self._chooser.num_removed, banked) if draws == 1 else 0

    def metrics(self) -> dict[str, float]:
        """Return the groups removed in the running step."""
        return {"removed_groups": float(self._chooser.num_removed)}


class Oversampled(_Stateless):
    """LILO, learning at the frontier of learnability (Foster et al., arXiv 2502.12272).

    Rolls out `candidates` problems for each one wanted and trains on those with the largest
    learnability p (1 - p), p the observed pass rate: the selection of the most balanced groups does
    just that. Not verified: the number of candidates; the paper also reuses a ranking for several
    steps, which is left out.
    """

    def __init__(self, candidates: float) -> None:
        self._candidates = candidates

    def groups_to_draw(
        self, wanted: int, *, expected_valid: Estimate, valid: int, draws: int
    ) -> int:
        """Return the candidates at the first draw of a step, and 0 later."""
        return 0 if draws else math.ceil(wanted * self._candidates)

    def metrics(self) -> dict[str, float]:
        """Return the constant expansion."""
        return {"expansion_ratio": self._candidates}
