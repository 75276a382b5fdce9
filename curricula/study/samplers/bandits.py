"""Bandits over categories: SEC and DUMP. Within a category every problem is alike."""

from abc import abstractmethod

import numpy as np
from numpy.random import Generator

from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.tiers import Floats, Indices
from curricula.study.samplers.scored import ScoredChooser, mean_absolute_advantage
from curricula.study.samplers.settings import DumpSettings, SecSettings


class _CategoryChooser(ScoredChooser):
    """Draws categories by chance."""

    by_chance = True

    def __init__(self, history: PassRateHistory) -> None:
        super().__init__(history)
        self._segments = history.tiers.num_segments
        self._codes: Indices = (history.initial_buckets() // self._segments).astype(np.int64)
        self.sizes: Indices = np.bincount(self._codes, minlength=len(history.domain_of_category))

    @abstractmethod
    def preferences(self) -> Floats:
        """Return the logit of each category's share."""

    def score(self, step: int, rng: Generator | None) -> Floats:
        """Return each problem's part in the share of its category."""
        logits = self.preferences()
        shares = np.exp(logits - logits.max())
        return np.asarray((shares / shares.sum() / np.maximum(1, self.sizes))[self._codes])

    def by_category(self, batch: Observed) -> tuple[Indices, Floats]:
        """Return the category of each group, and its mean absolute advantage."""
        return self._codes[batch.indices], mean_absolute_advantage(batch.passes, batch.attempts)


class Sec(_CategoryChooser):
    """SEC, self-evolving curriculum (Chen et al., arXiv 2505.14970).

    The categories are the arms of a bandit whose reward is the mean absolute advantage of the
    category's completions in the batch; values by TD(0), the choice by a Boltzmann distribution:

        Q(c) += learning_rate * (reward(c) - Q(c)),   of categories with groups in the batch
        share(c) ∝ exp(Q(c) / temperature)

    Not verified: the temperature, which the paper sets by task.
    """

    def __init__(self, history: PassRateHistory, settings: SecSettings) -> None:
        super().__init__(history)
        self._settings = settings
        self.arrays = {"value": np.zeros(len(self.sizes))}

    def preferences(self) -> Floats:
        """Return the values over the temperature."""
        return np.asarray(self.arrays["value"] / self._settings.temperature)

    def observe(self, batch: Observed) -> None:
        """Move the values of the categories seen."""
        codes, advantage = self.by_category(batch)
        num = np.bincount(codes, minlength=len(self.sizes))
        mean = np.bincount(codes, advantage, minlength=len(self.sizes)) / np.maximum(1, num)
        value = self.arrays["value"]
        value += np.where(num > 0, self._settings.learning_rate * (mean - value), 0.0)


class Dump(_CategoryChooser):
    """DUMP, distribution-level curriculum (Wang et al., arXiv 2504.09710).

    With L(c) the mean absolute advantage over a sliding window of the category's last groups,
    n(c) the completions seen of it and N those of all:

        share(c) ∝ exp((L(c) + sqrt(2 log(N + 1) / (n(c) + 1))) / temperature)

    Not verified: the length of the window, which the paper counts in completions (here in groups),
    and whether n(c) counts the window or, as here, the whole run.
    """

    def __init__(self, history: PassRateHistory, settings: DumpSettings) -> None:
        super().__init__(history)
        self._settings = settings
        num = len(self.sizes)
        self.arrays = {
            "window": np.zeros((num, settings.window)),
            "groups": np.zeros(num, dtype=np.int64),
            "completions": np.zeros(num),
        }

    def preferences(self) -> Floats:
        """Return the upper confidence bounds over the temperature."""
        kept = np.minimum(self.arrays["groups"], self._settings.window)
        mean = self.arrays["window"].sum(1) / np.maximum(1, kept)
        seen = self.arrays["completions"]
        bonus = np.sqrt(2 * np.log(seen.sum() + 1) / (seen + 1))
        return np.asarray((mean + bonus) / self._settings.temperature)

    def observe(self, batch: Observed) -> None:
        """Write each group over the oldest one of its category."""
        codes, advantage = self.by_category(batch)
        for code, value, attempts in zip(codes.tolist(), advantage, batch.attempts, strict=True):
            groups = self.arrays["groups"]
            self.arrays["window"][code, groups[code] % self._settings.window] = value
            groups[code] += 1
            self.arrays["completions"][code] += attempts
