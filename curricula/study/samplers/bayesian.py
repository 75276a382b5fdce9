"""Samplers that keep a belief about every problem: MoPPS, KGPS, DPS."""

import numpy as np
from numpy.random import Generator

from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats, Indices
from curricula.study.samplers.scored import ScoredChooser
from curricula.study.samplers.settings import DpsSettings, KgpsSettings, MoppsSettings


class Mopps(ScoredChooser):
    """MoPPS, model predictive prompt selection (Qu et al., arXiv 2507.04632).

    A discounted Beta belief per problem, of which a Thompson sample g is taken; the problems whose
    sample lies closest to the target are drawn:

        alpha' = memory * alpha + (1 - memory) * 1 + passes          (beta alike, with failures)
        drawn    the batch with the smallest |g - target|, g ~ Beta(alpha, beta)

    As published the belief of a problem changes when it is drawn, not with time. Not verified: the
    value of the memory (its results use several), and that all problems are candidates each time.
    """

    def __init__(self, history: PassRateHistory, settings: MoppsSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {"alpha": np.ones(self.num), "beta": np.ones(self.num)}

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return minus the distance of a sample (or of the mean) from the target."""
        alpha, beta = self.arrays["alpha"], self.arrays["beta"]
        guess = alpha / (alpha + beta) if rng is None else rng.beta(alpha, beta)
        return np.asarray(-np.abs(guess - self._settings.target))

    def observe(self, batch: Observed) -> None:
        """Discount towards the prior and add the counts."""
        memory = self._settings.memory
        for name, counts in (
            ("alpha", batch.passes),
            ("beta", batch.attempts - batch.passes),
        ):
            old = self.arrays[name][batch.indices]
            self.arrays[name][batch.indices] = memory * old + (1 - memory) + counts

    def predicted(self, indices: Indices, step: int) -> Floats | None:
        """Return the means of the beliefs."""
        alpha, beta = self.arrays["alpha"][indices], self.arrays["beta"][indices]
        return np.asarray(alpha / (alpha + beta))


class Kgps(ScoredChooser):
    """KGPS, a Kalman filter of each problem's logit (arXiv 2607.27610).

    With s passes of n, q = (s + 1/2) / (n + 1):

        predict    variance += drift * steps since the last group
        measure    z = log(q / (1 - q)),  its variance r = 1 / (n q (1 - q))
        update     gain = variance / (variance + r)
                   mean += gain * (z - mean),  variance *= 1 - gain
        pass rate  sigmoid(mean / sqrt(1 + pi variance / 8))

    and the problems with the largest pass rate * (1 - pass rate) are drawn. Only that it is a
    Kalman filter of the logit could be verified: the measurement's variance (delta method), the
    drift, the start and the rule of choice are ours.
    """

    def __init__(self, history: PassRateHistory, settings: KgpsSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {
            "mean": np.zeros(self.num),
            "variance": np.full(self.num, settings.prior_variance),
            "last_step": np.zeros(self.num, dtype=np.int64),
        }

    def _variance(self, indices: Indices, steps: Indices | int) -> Floats:
        age = np.maximum(0, steps - self.arrays["last_step"][indices])
        return np.asarray(self.arrays["variance"][indices] + self._settings.drift * age)

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return pass rate * (1 - pass rate)."""
        rate = self.predicted(np.arange(self.num), step)
        return np.asarray(rate * (1 - rate))

    def observe(self, batch: Observed) -> None:
        """Predict and update the filters of the observed problems."""
        at = batch.indices
        q = (batch.passes + 0.5) / (batch.attempts + 1)
        noise = 1 / (batch.attempts * q * (1 - q))
        variance = self._variance(at, batch.steps)
        gain = variance / (variance + noise)
        mean = self.arrays["mean"][at]
        self.arrays["mean"][at] = mean + gain * (np.log(q / (1 - q)) - mean)
        self.arrays["variance"][at] = (1 - gain) * variance
        self.arrays["last_step"][at] = np.maximum(self.arrays["last_step"][at], batch.steps)

    def predicted(self, indices: Indices, step: int) -> Floats:
        """Return the pass rates, averaged over the beliefs by the probit approximation."""
        logit = self.arrays["mean"][indices]
        shrunk = logit / np.sqrt(1 + np.pi * self._variance(indices, step) / 8)
        return np.asarray(1 / (1 + np.exp(-shrunk)))


UNSOLVED, PARTIAL, SOLVED = 0, 1, 2


class Dps(ScoredChooser):
    """DPS, dynamics-predictive sampling (Mao et al., arXiv 2603.10887).

    Each problem is a hidden Markov model of three states, unsolved, partially solved and solved;
    a group shows one of them. With belief b over the states and transition counts A (a Dirichlet
    posterior, of which the mean F is used) of the problem, at every step

        predict      b- = b F
        observe y    b ∝ b- * P(y | state),   P(y | s) = 1 - misreading if y = s, else half of it
                     pairs[j, k] ∝ b_old[j] F[j, k] P(y | k)
                     A = memory * A + (1 - memory) * A0 + pairs

    and the problems with the largest predicted chance of being partially solved are drawn. Not
    verified: the emission and its misreading, the prior A0 (here 1, and 4 on the diagonal), the
    memory, and the start (here even).
    """

    def __init__(self, history: PassRateHistory, settings: DpsSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self._prior = np.ones((3, 3)) + 3 * np.eye(3)
        self.arrays = {
            "belief": np.full((self.num, 3), 1 / 3),
            "counts": np.tile(self._prior, (self.num, 1, 1)),
            "step": np.zeros(1, dtype=np.int64),
        }

    def _transitions(self, indices: Indices) -> Floats:
        counts = self.arrays["counts"][indices]
        return np.asarray(counts / counts.sum(2, keepdims=True))

    def _go_to(self, step: int) -> None:
        """Predict the beliefs of all problems up to `step`."""
        everyone = np.arange(self.num)
        while self.arrays["step"][0] < step:
            belief = self.arrays["belief"]
            belief[...] = np.einsum("ij,ijk->ik", belief, self._transitions(everyone))
            self.arrays["step"][0] += 1

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return the chance of being partially solved."""
        self._go_to(step)
        return np.asarray(self.arrays["belief"][:, PARTIAL])

    def observe(self, batch: Observed) -> None:
        """Update beliefs and transition counts of the observed problems."""
        at, miss = batch.indices, self._settings.misreading
        shown = np.full(len(at), PARTIAL)
        shown[batch.passes == 0] = UNSOLVED
        shown[batch.passes == batch.attempts] = SOLVED
        likelihood = np.full((len(at), 3), miss / 2)
        likelihood[np.arange(len(at)), shown] = 1 - miss
        moves = self._transitions(at)
        belief = self.arrays["belief"][at]
        after = belief * likelihood
        pairs = belief[:, :, None] * moves * likelihood[:, None, :]
        self.arrays["belief"][at] = after / after.sum(1, keepdims=True)
        memory = self._settings.memory
        self.arrays["counts"][at] = (
            memory * self.arrays["counts"][at]
            + (1 - memory) * self._prior
            + pairs / pairs.sum((1, 2), keepdims=True)
        )
