"""Overview: runs side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import html

from rlcs.dashboard import parts
from rlcs.dashboard.asked import MOST_RUNS, Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, overview
from rlcs.insight.series import AXES, smoothed

SHOWN = (
    *("pass_rate", "reward", "curriculum/valid_rate", "curriculum/expansion_ratio"),
    *("length", "truncated", "tokens_per_second", "learner/entropy"),
    *("learner/grad_norm", "learner/mismatch"),
)
_SHARES = ("pass_rate", "reward", "curriculum/valid_rate", "truncated")

MOST_LISTED = 40
"""Runs to choose from, those that wrote last."""

COLUMNS = {
    "run": "run",
    "state": "state",
    "progress": "steps",
    "heldout": "held-out",
    "gain": "gain",
    "pass_rate": "pass rate",
    "valid": "valid groups",
    "completions": "completions",
    "tokens": "tokens",
    "tokens_per_second": "tokens/s",
    "time": "time of steps",
}


def controls(context: Context, asked: Asked) -> Any:
    """Which runs, and over what."""
    entries = [entry for entry in context.runs.entries() if entry.state != "refused"]
    chosen = [run.name for run in asked.runs]
    runs = [
        (name, asked.changed(VIEW.name, run=_toggled(chosen, name)), name in chosen)
        for name in (entry.name for entry in entries[:MOST_LISTED])
    ]
    now = asked.choice("over", AXES, "step")
    axes = [(title, asked.changed(VIEW.name, over=key), key == now) for key, title in AXES.items()]
    return html.Div(
        [parts.choices("Runs", runs), parts.choices("Over", axes)], className="controls"
    )


def _toggled(chosen: list[str], name: str) -> list[str]:
    """The runs to compare after a click at ``name``; one always stays."""
    if name not in chosen:
        return [*chosen, name][-MOST_RUNS:]
    return [each for each in chosen if each != name] or [name]


def build(context: Context, asked: Asked) -> Any:
    """The runs in numbers, their lines, held-out accuracy, time and configuration."""
    axis = asked.choice("over", AXES, "step")
    rows = [_row(run) for run in asked.runs]
    if not any(row["steps"] for row in rows):
        return [
            parts.card("Runs", parts.table(COLUMNS, rows, caption="The chosen runs"), wide=True),
            parts.empty(
                "No step of this run is finished yet.",
                "The first step takes the longest. This page goes on by itself.",
            ),
        ]
    lines = {run.name: overview.lines(run, axis) for run in asked.runs}
    colours = {run.name: parts.SERIES[at % len(parts.SERIES)] for at, run in enumerate(asked.runs)}
    alike = [names for names in overview.same_but_seed(asked.runs).values() if len(names) > 1]
    figures = [
        _card(name, lines, colours, alike, AXES[axis])
        for name in SHOWN
        if any(name in each for each in lines.values())
    ]
    return [
        parts.card("Runs", parts.table(COLUMNS, rows, caption="The chosen runs"), wide=True),
        _heldout(asked.runs, lines, colours, AXES[axis]),
        *figures,
        _time(asked.runs),
        *_difference(asked.runs),
    ]


def _row(run: Run) -> dict[str, Any]:
    row = overview.headline(run)
    planned = f" of {row['num_steps']:,}" if isinstance(row["num_steps"], int) else ""
    shares = {key: parts.percent(row[key]) for key in ("heldout", "pass_rate", "valid")}
    gain = "–" if row["gain"] is None else f"{100 * row['gain']:+.1f} points"
    name = parts.link(run.name, "overview", run=run.name)
    hours = row["hours"]
    return {
        **row,
        **shares,
        "run": name,
        "gain": gain,
        "progress": f"{row['steps']:,}{planned}",
        "time": parts.duration(None if hours is None else 3600 * hours),
    }


def _card(
    name: str,
    lines: dict[str, dict[str, np.ndarray]],
    colours: dict[str, str],
    alike: list[list[str]],
    axis: str,
) -> html.Section:
    traces: list[dict[str, Any]] = []
    banded = {run for names in alike for run in names}
    for names in alike:
        traces += _band(names, overview.seed_band([lines[run] for run in names], name), colours)
    for run, found in lines.items():
        if name not in found or run in banded:
            continue
        raw = parts.line(found["x"], found[name], run, parts.faded(colours[run], 0.3))
        raw.update(hoverinfo="skip", showlegend=False)
        traces += [raw, parts.line(found["x"], smoothed(found[name]), run, colours[run])]
    title = overview.NAMES[name]
    unit = overview.UNITS.get(name, "share" if name in _SHARES else "")
    drawn = parts.figure(traces, x=axis, y=unit, shares=name in _SHARES, legend=len(lines) > 1)
    return parts.card(
        title[:1].upper() + title[1:], parts.graph(drawn, f"{title} over {axis}, a line a run")
    )


def _band(
    names: list[str], band: dict[str, np.ndarray], colours: dict[str, str]
) -> list[dict[str, Any]]:
    if not band:
        return []
    colour = colours[names[0]]
    label = f"{names[0]} and {len(names) - 1} other seeds"
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return [
        parts.scatter(x=band["x"], y=band["high"], **edge),
        parts.scatter(
            x=band["x"], y=band["low"], fill="tonexty", fillcolor=parts.faded(colour, 0.2), **edge
        ),
        parts.line(band["x"], smoothed(band["mean"]), label, colour),
    ]


def _heldout(
    runs: list[Run],
    lines: dict[str, dict[str, np.ndarray]],
    colours: dict[str, str],
    axis: str,
) -> html.Section:
    traces = []
    for run in runs:
        measured = overview.heldout(run)
        if not measured:
            continue
        accuracy = [each.accuracy for each in measured]
        traces.append(
            parts.scatter(
                x=overview.places(lines[run.name], [each.step for each in measured]),
                y=accuracy,
                error_y={
                    "array": [each.high - each.accuracy for each in measured],
                    "arrayminus": [each.accuracy - each.low for each in measured],
                    "width": 3,
                    "thickness": 1,
                },
                name=parts.plain(run.name),
                mode="lines+markers",
                line={"color": colours[run.name], "width": 1.8},
                marker={"size": 6},
            )
        )
    title = "Held-out accuracy"
    if not traces:
        return parts.card(
            title,
            parts.empty(
                "Nothing was measured yet.",
                "Give data.heldout, and evaluation.every_steps to measure during the run.",
            ),
        )
    drawn = parts.figure(traces, x=axis, y="avg@k", shares=True, legend=len(traces) > 1)
    return parts.card(
        title,
        parts.graph(drawn, f"Held-out accuracy over {axis} with 95 % intervals"),
        note="Bars are 95 % intervals over the held-out problems.",
    )


def _time(runs: list[Run]) -> html.Section:
    splits = {run.name: overview.time_split(run) for run in runs}
    names = sorted({part for split in splits.values() for part in split})
    palette = (*parts.TIERS[::-1], *parts.SERIES[1:])
    traces = [
        parts.trace(
            "bar",
            y=[parts.plain(run) for run in splits],
            x=[split.get(part, 0.0) / 60 for split in splits.values()],
            name=parts.plain(part),
            orientation="h",
            marker={"color": palette[at % len(palette)]},
        )
        for at, part in enumerate(names)
    ]
    drawn = parts.figure(
        traces,
        x="minutes",
        y="",
        legend=True,
        height=150 + 34 * len(runs),
        barmode="stack",
        hovermode="closest",
    )
    return parts.card(
        "Where the time went", parts.graph(drawn, "Minutes of each part of the steps, a bar a run")
    )


def _difference(runs: list[Run]) -> list[html.Section]:
    if len(runs) < 2:
        return []
    rows = overview.config_difference(runs)
    columns = {"key": "key", **{run.name: parts.readable(run.name) for run in runs}}
    content = (
        parts.table(columns, rows, caption="Keys that differ")
        if rows
        else parts.empty("The configurations are the same.", "")
    )
    return [parts.card("What differs in the configuration", content, wide=True)]


VIEW = View(name="overview", title="Overview", build=build, controls=controls)
