"""Waste ledger: what was generated and trained nothing."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import waste

COLUMNS = {
    "reason": "what became of it",
    "groups": "groups",
    "tokens": "tokens",
    "share": "share",
    "time": "time of rollout",
    "money": "money",
    "means": "which means",
}
_COLOURS = {
    "trained on": parts.ACCENT,
    "all right": "#b9c0cb",
    "all wrong": "#8a94a6",
    "surplus": "#c98a2b",
    "errored": "#b3566b",
    "carried": "#1f9d8a",
}


def controls(context: Context, asked: Asked) -> Any:
    """The price."""
    return html.Div(
        html.Label(
            [
                "Price of an hour of rollout, all engines together",
                dcc.Input(
                    id={"type": "parameter", "name": "price"},
                    value=asked.text("price"),
                    type="number",
                    min=0,
                    debounce=True,
                    placeholder="0",
                ),
            ]
        ),
        className="controls",
    )


def build(context: Context, asked: Asked) -> Any:
    """The ledger, its course, and the domains."""
    run = asked.run
    assert run is not None
    price = asked.number("price", 0.0)
    rows = waste.ledger(run, price=price)
    if not rows:
        return parts.empty("Nothing was generated yet.", "The ledger begins with the first step.")
    lost = sum(row["share"] for row in rows if row["reason"] not in ("trained on", "carried"))
    truncated = waste.truncated(run, price=price)
    columns = {key: title for key, title in COLUMNS.items() if price or key != "money"}
    course = waste.course(run)
    traces = [
        parts.layer(course["step"], course[reason], reason, _COLOURS[reason])
        for reason in waste.REASONS
        if reason in course
    ]
    drawn = parts.figure(
        traces, x="step", y="share of tokens", shares=True, legend=True, height=280
    )
    domains = [_shown(row) for row in waste.by_domain(run, price=price)]
    by_domain = {key: title for key, title in columns.items() if key not in ("reason", "means")}
    return [
        parts.card(
            "Ledger",
            parts.facts([("tokens that trained nothing", parts.percent(lost))]),
            parts.table(columns, [_shown(row) for row in rows]),
            note="The time of a step's rollout is shared out by tokens.",
            wide=True,
        ),
        parts.card("By step", parts.graph(drawn, "Share of tokens by what became of them")),
        parts.card(
            "What trained nothing, by domain",
            parts.table({"domain": "domain", **by_domain}, domains),
        ),
        parts.card(
            "Truncated",
            parts.facts(
                [
                    ("completions that ran out of tokens", f"{truncated['completions']:,}"),
                    ("their tokens", f"{truncated['tokens']:,}"),
                    ("their time of rollout", parts.duration(3600 * truncated["hours"])),
                    *([("their money", f"{truncated['money']:,.2f}")] if price else []),
                ]
            ),
            note="They are within the groups above. Whether they train depends on "
            "learner.overlong. Stale completions are corrected, not dropped: see System.",
        ),
    ]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    means = waste.REASONS.get(row.get("reason", ""), "")
    return {
        **row,
        "share": parts.percent(row["share"]),
        "time": parts.duration(3600 * row["hours"]),
        "money": None if row["money"] is None else f"{row['money']:,.2f}",
        "means": means,
    }


VIEW = View(name="waste", title="Waste ledger", build=build, controls=controls)
