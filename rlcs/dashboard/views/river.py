"""River: the pool by pass rate, and what was drawn from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import river

CATEGORIES = {
    "domain": "domain",
    "category": "category",
    "problems": "problems",
    "seen": "drawn at least once",
    "draws": "draws",
    "share": "share of draws",
    "early": "pass rate, first fifth",
    "late": "pass rate, last fifth",
}


def build(context: Context, asked: Asked) -> Any:
    """The pool, the draws, the flow, coverage, and the categories."""
    run = asked.run
    assert run is not None
    tiers = river.tiers(run)
    if not tiers:
        return parts.empty(
            "The log of this run names no tiers yet.",
            "They come with the first step; kinds that keep no tiers have none.",
        )
    return [
        parts.card(
            "All problems by tier",
            parts.graph(_stack(river.pool(run), tiers), "Share of problems in each tier, by step"),
            note="Where the curriculum takes each problem to be, from easy (light) to hard (dark).",
        ),
        parts.card(
            "Drawn problems by tier",
            parts.graph(_stack(river.drawn(run), tiers), "Share of draws from each tier, by step"),
            note="The same colours: where the draws of each step came from.",
        ),
        _flow(river.flow(run), tiers),
        _coverage(river.coverage(run)),
        parts.card(
            "By category",
            parts.table(CATEGORIES, [_category(row) for row in river.by_category(run)]),
            wide=True,
        ),
    ]


def _stack(found: dict[str, np.ndarray], tiers: list[str]) -> parts.Figure:
    traces = [
        parts.layer(
            found["step"], found[tier], tier.replace("_", " "), parts.TIERS[_shade(at, tiers)]
        )
        for at, tier in enumerate(tiers)
        if tier in found
    ]
    return parts.figure(traces, x="step", y="share", shares=True, legend=True, height=280)


def _shade(at: int, tiers: list[str]) -> int:
    return round(at * (len(parts.TIERS) - 1) / max(1, len(tiers) - 1))


def _flow(rows: list[dict[str, Any]], tiers: list[str]) -> Any:
    title = "From one draw of a problem to its next"
    counts = np.zeros((len(tiers), len(tiers)))
    for row in rows:
        if row["before"] in tiers and row["after"] in tiers:
            counts[tiers.index(row["before"]), tiers.index(row["after"])] = row["draws"]
    if not counts.sum():
        return parts.card(
            title, parts.empty("No problem was drawn twice yet.", "This fills as the run goes on.")
        )
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    names = [parts.plain(tier.replace("_", " ")) for tier in tiers]
    drawn = parts.figure(
        [
            parts.trace(
                "heatmap",
                x=names,
                y=names,
                z=shares,
                zmin=0,
                zmax=1,
                colorscale=[
                    [0, parts.faded(parts.ACCENT, 0.04)],
                    [1, parts.faded(parts.ACCENT, 0.6)],
                ],
                showscale=False,
                text=[[f"{int(value):,}" for value in row] for row in counts],
                texttemplate="%{text}",
                hovertemplate="%{y} → %{x}: %{z:.0%}<extra></extra>",
            )
        ],
        x="tier at the next draw",
        y="tier at a draw",
        height=280,
        hovermode="closest",
        yaxis={"autorange": "reversed", "nticks": len(tiers)},
    )
    return parts.card(
        title,
        parts.graph(drawn, "Number of draws from each tier to each tier"),
        note="Numbers count draws; colour is the share of its row. Left of the diagonal: easier.",
    )


def _coverage(found: dict[str, np.ndarray]) -> Any:
    traces = []
    if "seen" in found:
        traces.append(parts.line(found["step"], found["seen"], "problems drawn at least once"))
    traces.append(
        parts.line(
            found["again_step"], found["again"], "draws of problems drawn before", parts.SERIES[1]
        )
    )
    drawn = parts.figure(traces, x="step", y="share", shares=True, legend=True, height=280)
    retired = [
        (name, parts.number(float(found[name][-1]) if len(found[name]) else None))
        for name in ("solved", "hopeless")
        if name in found
    ]
    return parts.card(
        "Coverage",
        parts.facts([(f"retired as {name}", value) for name, value in retired]),
        parts.graph(drawn, "Share of problems ever drawn, and of draws that were repeats, by step"),
    )


def _category(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{key: parts.percent(row[key]) for key in ("share", "early", "late")}}


VIEW = View(name="river", title="River", build=build)
