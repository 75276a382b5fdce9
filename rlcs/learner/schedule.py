"""The learning rate as a function of the step, so that resuming needs no scheduler state."""

from __future__ import annotations

import math

from rlcs.config import OptimiserSection


def learning_rate(settings: OptimiserSection, update: int, num_updates: int) -> float:
    """The learning rate of optimiser step ``update`` (from 0) of ``num_updates``.

    It rises linearly over ``warmup_steps`` to ``settings.learning_rate`` and then stays, or
    falls to zero at the end along a line or half a cosine.
    """
    peak, warmup = settings.learning_rate, settings.warmup_steps
    if update < warmup:
        return peak * (update + 1) / (warmup + 1)
    if settings.schedule == "constant":
        return peak
    done = (update - warmup) / max(1, num_updates - warmup)
    if settings.schedule == "linear":
        return peak * (1 - done)
    return peak * 0.5 * (1 + math.cos(math.pi * done))
