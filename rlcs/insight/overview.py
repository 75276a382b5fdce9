"""Overview: runs side by side, by step or by what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcs.insight.run import Run
from rlcs.insight.series import along, series

NAMES = {
    "pass_rate": "pass rate of what is drawn",
    "reward": "reward",
    "curriculum/valid_rate": "valid groups",
    "curriculum/expansion_ratio": "expansion ratio",
    "tokens_per_second": "tokens a second",
    "truncated": "truncated completions",
    "learner/entropy": "entropy",
    "learner/grad_norm": "gradient norm",
    "learner/mismatch": "mismatch",
    "length": "tokens a completion",
}
"""The numbers of the overview: the name in ``steps.jsonl`` (``length`` is made) and its title."""

UNITS = {
    "tokens_per_second": "tokens/s",
    "learner/entropy": "nats a token",
    "learner/mismatch": "nats a token",
    "curriculum/expansion_ratio": "draws a trained group",
    "length": "tokens",
}
"""The units of those that are no shares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """One evaluation: accuracy and its 95 % interval (Wilson, over problems), shares in [0, 1]."""

    step: int
    accuracy: float
    low: float
    high: float
    num_problems: int
    seconds: float
    """Unix time, 0 where that is not known."""


def headline(run: Run) -> dict[str, Any]:
    """The numbers of a run in a row: its last step, sums over all steps, held-out accuracy.

    ``run``, ``state``, ``steps``, ``num_steps`` (to do, None where unknown), ``completions``,
    ``tokens``, ``hours`` (of steps), ``pass_rate`` and ``valid`` (mean of the last 10 steps, in
    [0, 1]), ``tokens_per_second`` (the same), ``heldout`` and ``gain`` (since before training).
    """
    sums = run.store.rows(
        "SELECT name, sum(value) AS total, "
        "avg(value) FILTER (step > (SELECT max(step) FROM steps) - 10) AS late FROM numbers "
        "WHERE name IN ('completions', 'tokens', 'seconds/step', 'pass_rate', "
        "'curriculum/valid_rate', 'tokens_per_second') GROUP BY name"
    )
    total = {row["name"]: row["total"] for row in sums}
    late = {row["name"]: row["late"] for row in sums}
    measured = heldout(run)
    return {
        "run": run.name,
        "state": run.state,
        "steps": run.store.value("SELECT count(*) FROM steps"),
        "num_steps": run.setting("run.num_steps"),
        "completions": total.get("completions"),
        "tokens": total.get("tokens"),
        "hours": total["seconds/step"] / 3600 if "seconds/step" in total else None,
        "pass_rate": late.get("pass_rate"),
        "valid": late.get("curriculum/valid_rate"),
        "tokens_per_second": late.get("tokens_per_second"),
        "heldout": measured[-1].accuracy if measured else None,
        "gain": measured[-1].accuracy - measured[0].accuracy if len(measured) > 1 else None,
    }


def lines(run: Run, axis: str, *, points: int = 600) -> dict[str, np.ndarray]:
    """The numbers :data:`NAMES` of a run by step, and ``x``, their positions on ``axis``."""
    made = ("completions", "tokens")
    found = series(run, [*NAMES, *made], points=points)
    if all(name in found for name in made):
        with np.errstate(divide="ignore", invalid="ignore"):
            found["length"] = found["tokens"] / found["completions"]
    return {**found, "x": along(run, axis, points=points)}


def places(found: dict[str, np.ndarray], steps: Sequence[int]) -> np.ndarray:
    """Where ``steps`` stand on the axis of what :func:`lines` found; every axis begins at zero."""
    known = np.concatenate([[0.0], found["step"]]), np.concatenate([[0.0], found["x"]])
    return np.interp(steps, *known)


def time_split(run: Run) -> dict[str, float]:
    """Seconds of the whole run by part of a step; ``other`` is what no part accounts for."""
    rows = run.store.rows(
        "SELECT name, sum(value) AS seconds FROM numbers WHERE name LIKE 'seconds/%' GROUP BY name"
    )
    parts = {row["name"].removeprefix("seconds/"): float(row["seconds"]) for row in rows}
    whole, idle = parts.pop("step", 0.0), parts.pop("rollout_idle", 0.0)
    if "rollout" in parts and idle:
        # Mean over engines of the time that one waited for the slowest.
        parts["rollout"] = max(0.0, parts["rollout"] - idle)
        parts["rollout, engines idle"] = idle
    rest = whole - sum(parts.values())
    return {**parts, **({"other": rest} if rest > 0 else {})}


def heldout(run: Run) -> list[HeldOut]:
    """Every evaluation of the run, the earliest first.

    From ``log/evaluations.jsonl``; of runs before that file, from ``summary.json``.
    """
    rows = run.json_lines("log/evaluations.jsonl")
    made = [_measured(row, row.get("step"), row.get("time")) for row in rows]
    # Resuming may measure a step again: the last row counts.
    found = {each.step: each for each in made if each is not None}
    return sorted(found.values(), key=lambda each: each.step) or _of_summary(run)


def _of_summary(run: Run) -> list[HeldOut]:
    summary = run.json("summary.json")
    parts = summary.get("eval") if isinstance(summary, dict) else None
    if not isinstance(parts, dict):
        return []
    steps = {"before": 0, "after": summary.get("steps", 0)}
    made = [_measured(parts.get(when), step, 0) for when, step in steps.items()]
    return [each for each in made if each is not None]


def _measured(part: Any, step: Any, moment: Any) -> HeldOut | None:
    if not isinstance(part, dict) or type(step) is not int:
        return None
    accuracy, number = part.get("accuracy"), part.get("problems")
    if not isinstance(accuracy, int | float) or type(number) is not int or number < 1:
        return None
    low, high = interval(float(accuracy), number)
    return HeldOut(
        step=step,
        accuracy=float(accuracy),
        low=low,
        high=high,
        num_problems=number,
        seconds=float(moment) if isinstance(moment, int | float) else 0.0,
    )


def interval(share: float, number: int) -> tuple[float, float]:
    """The 95 % score interval of a share of ``number`` (Wilson, 1927).

    For avg@k over problems it is somewhat too wide: a problem's k completions tell more than one.
    """
    z = 1.96
    centre = (share + z * z / (2 * number)) / (1 + z * z / number)
    spread = share * (1 - share) / number + z * z / (4 * number * number)
    half = z * math.sqrt(max(0.0, spread)) / (1 + z * z / number)
    return max(0.0, centre - half), min(1.0, centre + half)


def seed_band(runs: Sequence[dict[str, np.ndarray]], name: str) -> dict[str, np.ndarray]:
    """Runs that differ in their seed alone, as one line: ``x``, ``mean``, ``low``, ``high``.

    ``low`` and ``high`` are the smallest and the largest of them at each position.
    """
    usable = [run for run in runs if name in run and len(run["x"])]
    if not usable:
        return {}
    x = min((run["x"] for run in usable), key=lambda each: each[-1])
    values = np.array([np.interp(x, run["x"], _filled(run[name])) for run in usable])
    return {"x": x, "mean": values.mean(0), "low": values.min(0), "high": values.max(0)}


def config_difference(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row a key in which the configurations of ``runs`` differ: ``key``, and a value a run."""
    flat = [dict(_flat(run.config())) for run in runs]
    keys = sorted({key for each in flat for key in each})
    return [
        {"key": key, **{run.name: each.get(key, "") for run, each in zip(runs, flat, strict=True)}}
        for key in keys
        if len({each.get(key, "") for each in flat}) > 1
    ]


def same_but_seed(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Names of runs by what they have in common: all of their configuration but name and seed."""
    groups: dict[str, list[str]] = {}
    for run in runs:
        flat = {key: value for key, value in _flat(run.config()) if key not in _OWN}
        groups.setdefault(repr(sorted(flat.items())) if flat else run.name, []).append(run.name)
    return {names[0]: names for names in groups.values()}


_OWN = ("run.name", "run.seed", "run.folder")


def _flat(value: Any, prefix: str = "", depth: int = 0) -> list[tuple[str, str]]:
    if isinstance(value, dict) and depth < 8:
        parts = (
            _flat(each, f"{prefix}.{key}" if prefix else str(key), depth + 1)
            for key, each in value.items()
        )
        return [pair for part in parts for pair in part]
    return [(prefix, str(value)[:300])]


def _filled(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    if not known.any():
        return values
    at = np.arange(len(values))
    return np.interp(at, at[known], values[known])
