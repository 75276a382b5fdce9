"""A run's numbers as gauges that Ray serves to Prometheus; rlcs/docs/grafana.json shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ray.util.metrics import Gauge

    from rlcs.run.samples import Samples


class PrometheusTracker:
    """Sets gauges that Ray serves to Prometheus from every node; ``run`` is their one label.

    What is counted by category has names from the data, and is left to the run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._gauges: dict[str, Gauge] = {}
        self._labels = {"run": folder.name}

    def log(self, step: int, numbers: dict[str, float]) -> None:
        """Send the ``numbers`` of ``step``, each under its name."""
        for name, value in {**numbers, "step": float(step)}.items():
            if (known := gauge_name(name)) is None:
                continue
            if known not in self._gauges:
                from ray.util.metrics import Gauge

                self._gauges[known] = Gauge(known, name, tag_keys=("run",))
            self._gauges[known].set(value, tags=self._labels)

    def show(self, samples: Samples) -> None:
        """Gauges show no completions."""

    def close(self) -> None:
        """The gauges end with the process."""


def gauge_name(name: str) -> str | None:
    """What Prometheus calls a number of ``steps.jsonl``; Ray puts ``ray_`` before it."""
    if name.startswith("passes_by_category/"):
        return None
    return "rlcs_" + re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_")
