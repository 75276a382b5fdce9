"""Calibration: whether predicted pass rates came true."""

from __future__ import annotations

from typing import Any

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, calibration

TIERS = {
    "tier": "tier when drawn",
    "draws": "draws",
    "pass_rate": "mean pass rate",
    "low": "lower quarter",
    "high": "upper quarter",
    "valid": "valid",
}


def build(context: Context, asked: Asked) -> Any:
    """The Brier score, the reliability table and the tiers."""
    run = asked.run
    assert run is not None
    course = calibration.course(run)
    if "brier" not in course:
        return parts.empty(
            "This run's log has no predictions to check.",
            "They come with the second draw of a problem's category.",
        )
    brier = parts.figure(
        [
            parts.line(course["step"], course["brier"], "the curriculum's predictions"),
            parts.line(
                course["step"],
                course["brier_baseline"],
                "always predicting the mean",
                parts.SERIES[1],
            ),
        ],
        x="step",
        y="Brier score",
        legend=True,
    )
    gap = parts.figure(
        [parts.line(course["step"], course["calibration_error"], "gap")],
        x="step",
        y="share",
        yaxis={"tickformat": ".0%"},
    )
    tiers = [
        {**row, **{key: parts.percent(row[key]) for key in ("pass_rate", "low", "high", "valid")}}
        for row in calibration.by_tier(run)
    ]
    return [
        parts.card(
            "Brier score",
            parts.graph(brier, "Brier score of predictions and of a baseline, by step"),
            note="Lower is better; predictions are worth something while below the grey line.",
        ),
        parts.card(
            "Mean gap between predicted and observed",
            parts.graph(gap, "Mean gap between predicted and observed pass rates, by step"),
        ),
        _reliability(context, run),
        parts.card("By tier", parts.table(TIERS, tiers), wide=True),
    ]


def _reliability(context: Context, run: Run) -> Any:
    title = "Predicted and observed, at the last checkpoint"
    task = context.next_draw(run)
    if not task.done:
        return parts.card(title, parts.empty("Reading the checkpoint…", "This takes a moment."))
    if task.error:
        return parts.card(title, parts.empty("It cannot be shown.", task.error))
    rows = task.result.saved.curriculum.reliability()
    drawn = parts.figure(
        [
            parts.scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                line={"color": parts.SERIES[1], "width": 1, "dash": "dot"},
                hoverinfo="skip",
                showlegend=False,
            ),
            parts.scatter(
                x=[row.predicted for row in rows],
                y=[row.observed for row in rows],
                mode="lines+markers",
                line={"color": parts.ACCENT, "width": 1.8},
                marker={"size": 6},
                name="observed",
            ),
        ],
        x="predicted pass rate",
        y="observed",
        shares=True,
        hovermode="closest",
        xaxis={"range": [0, 1], "tickformat": ".0%"},
    )
    return parts.card(title, parts.graph(drawn, "Observed by predicted pass rate"))


VIEW = View(name="calibration", title="Calibration", build=build)
