"""Numbers by step, as few points as a picture can show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlcs.insight.run import Run

MOST_POINTS = 600
"""Of one line; a longer run is shown by means over equal stretches of steps."""

AXES = {
    "step": "step",
    "completions": "completions",
    "tokens": "tokens",
    "hours": "hours of work",
}
"""What a line can be drawn over: its key, and how it is written at the axis."""


def series(run: Run, names: Sequence[str], *, points: int = MOST_POINTS) -> dict[str, np.ndarray]:
    """The numbers ``names`` of ``steps.jsonl`` by step; NaN where a step has none.

    ``step`` [P] is the middle of each stretch; ``name`` [P] its mean there. A name that the run
    never logged is missing.
    """
    width = stretch(run, points)
    found = run.store.columns(
        "SELECT name, (step - 1) // ? AS stretch, avg(value) AS value, avg(step) AS step "
        "FROM numbers WHERE name IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL ORDER BY stretch",
        [width, list(names)],
    )
    steps = run.store.columns(
        "SELECT (step - 1) // ? AS stretch, avg(step) AS step FROM steps GROUP BY ALL "
        "ORDER BY stretch",
        [width],
    )
    place = {int(number): at for at, number in enumerate(steps["stretch"])}
    result = {"step": steps["step"]}
    for name in names:
        rows = np.flatnonzero(found["name"] == name)
        if not rows.size:
            continue
        values = np.full(len(place), np.nan)
        for row in rows:
            at = place.get(int(found["stretch"][row]))
            if at is not None:
                values[at] = found["value"][row]
        result[name] = values
    return result


def stretch(run: Run, points: int = MOST_POINTS) -> int:
    """How many steps a point of a picture stands for."""
    last = run.store.value("SELECT max(step) FROM steps") or 0
    return max(1, -(-int(last) // points))


def along(run: Run, axis: str, *, points: int = MOST_POINTS) -> np.ndarray:
    """[P] the position of each point of :func:`series` on the axis ``axis``.

    ``completions`` and ``tokens`` are sums up to there; ``hours`` the time that steps took.
    """
    width = stretch(run, points)
    if axis == "step":
        return run.store.columns(
            "SELECT (step - 1) // ? AS stretch, avg(step) AS x FROM steps GROUP BY ALL "
            "ORDER BY stretch",
            [width],
        )["x"]
    name, scale = {
        "completions": ("completions", 1.0),
        "tokens": ("tokens", 1.0),
        "hours": ("seconds/step", 3600.0),
    }[axis]
    sums = run.store.columns(
        "SELECT (s.step - 1) // ? AS stretch, sum(coalesce(n.value, 0)) AS x FROM steps s "
        "LEFT JOIN numbers n ON n.step = s.step AND n.name = ? GROUP BY ALL ORDER BY stretch",
        [width, name],
    )["x"]
    return np.cumsum(sums) / scale


def smoothed(values: np.ndarray, window: int = 9) -> np.ndarray:
    """[P] the mean of what is known within ``window`` points around each, shorter at both ends."""
    known = np.isfinite(values)
    kernel = np.ones(min(window, max(1, len(values))))
    total = np.convolve(np.where(known, values, 0.0), kernel, mode="same")
    number = np.convolve(known.astype(float), kernel, mode="same")
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def shares(
    stretches: np.ndarray,
    kinds: np.ndarray,
    amounts: np.ndarray,
    *,
    names: Sequence[str],
    width: int,
) -> dict[str, np.ndarray]:
    """``step`` [P], the middle of each stretch of ``width`` steps, and for each of ``names`` the
    share [P] that it has there of the amounts of all of them.

    ``stretches``, ``kinds`` and ``amounts`` are [N]: how much of which kind in which stretch.
    """
    places = np.unique(stretches)
    sums = {name: np.zeros(len(places)) for name in names}
    for at, kind, amount in zip(stretches, kinds, amounts, strict=True):
        if kind in sums:
            sums[kind][np.searchsorted(places, at)] += amount
    total = np.maximum(1.0, sum(sums.values(), np.zeros(len(places))))
    middle = places * width + (width + 1) / 2
    return {"step": middle, **{name: amount / total for name, amount in sums.items()}}
