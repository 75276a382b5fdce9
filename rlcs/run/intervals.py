"""How sure an accuracy is: its 95 % interval, where several attempts at a problem count as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rewards.check.statistics import wilson_interval

CONFIDENCE = 0.95


def problem_interval(rates: Sequence[float] | np.ndarray) -> tuple[float, float] | None:
    """The interval in [0, 1] of the mean of ``rates``, one for each problem; None without any.

    Attempts at the same problem are alike, so problems are the sample, not attempts: Student's t
    over their rates, which is the cluster-robust interval of a mean over clusters of one size.
    Where all rates are the same, Wilson's interval for as many problems takes its place.
    """
    from scipy.stats import t

    values = np.asarray(rates, dtype=np.float64)
    number = len(values)
    if not number:
        return None
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if number > 1 else 0.0
    if spread < 1e-12:
        return wilson_interval(round(mean * number), number)
    half = float(t.ppf((1 + CONFIDENCE) / 2, number - 1)) * spread / math.sqrt(number)
    return max(0.0, mean - half), min(1.0, mean + half)
