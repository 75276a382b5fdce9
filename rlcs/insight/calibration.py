"""Calibration: whether the curriculum's predicted pass rates came true."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.series import series


def course(run: Run) -> dict[str, np.ndarray]:
    """``step`` [P]; where logged also ``brier``, ``brier_baseline`` and ``calibration_error``.

    The Brier score is that of the curriculum's predictions, the baseline that of always
    predicting the running mean; both over completions of the recent past.
    """
    names = ("brier", "brier_baseline", "calibration_error")
    found = series(run, [f"curriculum/{name}" for name in names])
    return {name.removeprefix("curriculum/"): values for name, values in found.items()}


def by_tier(run: Run) -> list[dict[str, Any]]:
    """A row a tier that problems were drawn in: ``draws``, the mean ``pass_rate`` of these draws,
    the share of ``valid`` ones, and the quarters of their pass rates, ``low`` and ``high``."""
    return run.store.rows(
        "SELECT tier, count(*) AS draws, avg(passes / attempts) AS pass_rate, "
        "avg(CASE WHEN passes > 0 AND passes < attempts THEN 1.0 ELSE 0.0 END) AS valid, "
        "quantile_cont(passes / attempts, 0.25) AS low, "
        "quantile_cont(passes / attempts, 0.75) AS high "
        "FROM visits WHERE attempts > 0 GROUP BY tier ORDER BY pass_rate DESC LIMIT 50"
    )
