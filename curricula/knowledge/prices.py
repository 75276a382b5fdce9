"""What a completion of each category costs: running means of its tokens.

    price of category c    (tokens_c + k m) / (completions_c + k) / m

m is the mean of all completions whose tokens were counted, k `_STRENGTH`; the sums of tokens and
completions are discounted by the step, because a policy that learns changes its lengths. A price
is by category and not by problem: a problem is seen a few times in a run, and its lengths are
those of its kind.
"""

import numpy as np

from curricula.knowledge.tiers import Floats, Indices

_STRENGTH = 16.0
"""Completions of mean length that a category is taken to have before any was counted."""


class Prices:
    """Discounted sums [2, categories]: tokens, and completions that had them."""

    def __init__(self, num_categories: int) -> None:
        self.sums = np.zeros((2, num_categories))

    def observe(self, categories: Indices, tokens: Indices, completions: Indices) -> None:
        """Add groups, each with all its tokens and completions; 0 tokens were not counted."""
        counted = tokens > 0
        if counted.any():
            num = self.sums.shape[1]
            at = categories[counted]
            self.sums[0] += np.bincount(at, tokens[counted], minlength=num)
            self.sums[1] += np.bincount(at, completions[counted], minlength=num)

    def relative(self) -> Floats:
        """Return the price of a completion of each category over the mean; ones before any."""
        tokens, completions = self.sums
        total = tokens.sum()
        if not total:
            return np.ones(len(tokens))
        mean = total / completions.sum()
        return np.asarray((tokens / mean + _STRENGTH) / (completions + _STRENGTH))
