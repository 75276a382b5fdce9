"""Comparisons as pictures. matplotlib is imported on use, so that nothing else needs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curricula.knowledge.tiers import Floats
from curricula.study.replay import Replay
from curricula.study.simulation import Comparison

_WINDOW = 9
"""Steps that a replay's curve is smoothed over."""


def comparison_plot(rows: Sequence[Comparison], path: Path | str) -> None:
    """Draw held-out accuracy over completions: the mean over seeds, the range as a band."""
    figure, axes = _figure()
    for row in rows:
        last = min(course.completions[-1] for course in row.courses)
        at = np.linspace(0, last, 200)
        curves = np.array([np.interp(at, c.completions, c.accuracy) for c in row.courses])
        (line,) = axes.plot(at, curves.mean(0), label=row.name)
        axes.fill_between(at, curves.min(0), curves.max(0), color=line.get_color(), alpha=0.2)
    axes.set_xlabel("completions generated")
    axes.set_ylabel("held-out accuracy")
    _write(figure, axes, path)


def replay_plot(rows: Sequence[Replay], path: Path | str) -> None:
    """Draw the share of valid groups over the steps of the log, smoothed."""
    figure, axes = _figure()
    for row in rows:
        hits, weights = (_smooth(np.array(part)) for part in zip(*row.course, strict=True))
        axes.plot(np.where(weights > 0, hits / np.maximum(weights, 1e-12), np.nan), label=row.name)
    axes.set_xlabel("step of the log")
    axes.set_ylabel(f"valid groups, over {_WINDOW} steps")
    axes.set_ylim(0, 1)
    _write(figure, axes, path)


def _smooth(values: Floats) -> Floats:
    window = np.ones(min(_WINDOW, len(values)))
    return np.convolve(values, window, mode="same").astype(np.float64)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    return figure, figure.subplots()


def _write(figure: Any, axes: Any, path: Path | str) -> None:
    axes.legend(frameon=False, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=90)
