"""Verifiers: outcomes, latency and failures by domain."""

from __future__ import annotations

from typing import Any

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import verifiers

OUTCOMES = {
    "domain": "domain",
    "completions": "completions",
    **{name: name.replace("_", " ") for name in verifiers.OUTCOMES},
}
LATENCY = {
    "domain": "domain",
    "completions": "completions",
    "p50": "half within",
    "p99": "99 % within",
    "max": "longest",
}


def build(context: Context, asked: Asked) -> Any:
    """Two tables and the failures over the steps."""
    run = asked.run
    assert run is not None
    rows = verifiers.outcomes(run)
    if not rows:
        return parts.empty(
            "No completion was read yet.", "They are read step by step: look at the line above."
        )
    outcomes = [
        {**row, **{name: parts.percent(row[name] or 0.0) for name in verifiers.OUTCOMES}}
        for row in rows
    ]
    latency = [
        {**row, **{key: parts.duration(row[key]) for key in ("p50", "p99", "max")}}
        for row in verifiers.latency(run)
    ]
    failures = verifiers.failures(run)
    traces = [
        parts.line(
            failures["step"],
            line,
            name.removeprefix("domain/"),
            parts.SERIES[at % len(parts.SERIES)],
        )
        for at, (name, line) in enumerate(list(failures.items())[1:13])
    ]
    drawn = parts.figure(
        traces,
        x="step",
        y="share",
        legend=True,
        yaxis={"tickformat": ".1%"},
    )
    return [
        parts.card(
            "Outcomes",
            parts.table(OUTCOMES, outcomes),
            note="The last three are our failures: such a completion has no reward.",
            wide=True,
        ),
        parts.card(
            "How long a verdict takes",
            parts.table(LATENCY, latency),
            note="Within: the upper end of bins that double.",
        ),
        parts.card(
            "Our failures", parts.graph(drawn, "Share of completions that could not be judged")
        ),
    ]


VIEW = View(name="verifiers", title="Verifiers", build=build)
