"""System: time, staleness, padding, and the faults that were survived."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import system

FAULTS = {"when": "when", "what": "what", "detail": "detail", "node": "node", "remedy": "remedy"}


def build(context: Context, asked: Asked) -> Any:
    """Time by part, idle engines, staleness, tokens without loss, faults."""
    run = asked.run
    assert run is not None
    found = system.course(run)
    if not len(found["step"]):
        return parts.empty("No step is finished yet.", "This page goes on by itself.")
    return [
        _seconds(found),
        _lines(
            "Engines idle", found, {"idle": "share of the rollout that engines waited"}, shares=True
        ),
        _lines("Staleness", found, {"stale_mean": "mean", "stale_max": "largest"}, unit="versions"),
        _lines(
            "Learner's tokens without loss",
            found,
            {"no_loss": "prompts and padding"},
            shares=True,
        ),
        _faults(system.faults(run)),
        parts.card(
            "Memory",
            parts.empty(
                "The log has no memory of processes.",
                "rlcs doctor CONFIG plans it; nvidia-smi and Ray's own page show it.",
            ),
        ),
    ]


def _seconds(found: dict[str, np.ndarray]) -> Any:
    traces = [
        parts.layer(found["step"], found[part], part, colour)
        for part, colour in zip(
            ("rollout", "wait", "learn", "publish"),
            (parts.TIERS[2], parts.TIERS[0], parts.TIERS[4], parts.SERIES[3]),
            strict=True,
        )
        if part in found
    ]
    drawn = parts.figure(traces, x="step", y="seconds", legend=True)
    return parts.card(
        "Seconds of a step", parts.graph(drawn, "Seconds of each part of a step, by step")
    )


def _lines(
    title: str,
    found: dict[str, np.ndarray],
    names: dict[str, str],
    *,
    unit: str = "share",
    shares: bool = False,
) -> Any:
    traces = [
        parts.line(found["step"], found[name], label, parts.SERIES[at])
        for at, (name, label) in enumerate(names.items())
        if name in found
    ]
    if not traces:
        return parts.card(title, parts.empty("The log of this run has none.", ""))
    drawn = parts.figure(
        traces,
        x="step",
        y=unit,
        shares=shares,
        legend=len(traces) > 1,
    )
    return parts.card(title, parts.graph(drawn, f"{title}, by step"))


def _faults(rows: list[dict[str, Any]]) -> Any:
    if not rows:
        return parts.card("Faults", parts.empty("No fault was met.", ""))
    shown = [
        {
            **row,
            "when": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row["time"]))
            if row["time"] is not None and 0 <= row["time"] < 1e11
            else "–",
        }
        for row in rows
    ]
    return parts.card(
        f"Faults ({len(rows)})",
        parts.table(FAULTS, shown),
        note="Each was survived: the work was given to others, or taken up from a checkpoint. "
        "Times are UTC.",
        wide=True,
    )


VIEW = View(name="system", title="System", build=build)
