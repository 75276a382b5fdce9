"""Data detective: problems and completions that deserve a look, and their export as a list."""

from __future__ import annotations

import json
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked, read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.export_list import as_csv, as_lines
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, detective

NEVER = {
    "problem_id": "problem",
    "question": "question",
    "reference": "reference",
    "top_wrong": "most frequent answer",
    "agreement": "given by",
    "truncated": "truncated",
    "unread": "unreadable",
    "draws": "draws",
    "cause": "likely cause",
}


def controls(context: Context, asked: Asked) -> Any:
    """Which cause."""
    now = asked.choice("cause", detective.CAUSES, "")
    causes = [
        (cause or "all", asked.changed(VIEW.name, cause=cause), cause == now)
        for cause in ("", *detective.CAUSES)
    ]
    return html.Div(
        [
            parts.choices("Never solved, by likely cause", causes),
            html.Button("Save as a table (CSV)", id="detective-save", className="quiet"),
            html.Button("Save the ids (data.drop)", id="detective-save-ids", className="quiet"),
            dcc.Download(id="detective-list"),
        ],
        className="controls",
    )


def build(context: Context, asked: Asked) -> Any:
    """Problems never and always solved, and suspicious completions."""
    run = asked.run
    assert run is not None
    cause = asked.choice("cause", detective.CAUSES, "")
    causes = [{**row, "means": detective.CAUSES[row["cause"]]} for row in detective.causes(run)]
    rows = detective.never_solved(run, cause)
    never: Any = parts.empty(
        "No problem like this.",
        f"A problem counts from {detective.ENOUGH} completions without a pass.",
    )
    if rows:
        never = parts.table(NEVER, [_problem(run, row) for row in rows[:100]])
    return [
        parts.card(
            "Never solved",
            parts.table(
                {"cause": "likely cause", "problems": "problems", "tokens": "tokens", "means": ""},
                causes,
            )
            if causes
            else "",
            never,
            note="Ranked by how far their completions agree. What is saved has all of them: the "
            "table to correct the data by, the ids for data.drop, which leaves them out of a run.",
            wide=True,
        ),
        _always(run),
        _suspicious(run),
    ]


def _problem(run: Run, row: dict[str, Any]) -> dict[str, Any]:
    shares = {key: parts.percent(row[key]) for key in ("agreement", "truncated", "unread")}
    link = parts.link(row["problem_id"], "problem", run=run.name, problem=row["problem_id"])
    return {**row, **shares, "problem_id": link, "reference": _bare(row["reference"])}


def _bare(reference: str | None) -> str:
    """A reference without the quotation marks that JSON gives a text."""
    try:
        value = json.loads(reference or '""')
    except (ValueError, RecursionError):
        return str(reference)
    return value if isinstance(value, str) else str(reference)


def _always(run: Run) -> html.Section:
    rows = detective.always_solved(run)
    if not rows:
        return parts.card(
            "Always solved", parts.empty("No problem was solved in every completion twice.", "")
        )
    columns = {
        "problem_id": "problem",
        "question": "question",
        "draws": "draws",
        "tokens": "tokens",
    }
    shown = [
        {
            **row,
            "problem_id": parts.link(
                row["problem_id"], "problem", run=run.name, problem=row["problem_id"]
            ),
        }
        for row in rows[:50]
    ]
    return parts.card(
        f"Always solved ({len(rows)})",
        parts.table(columns, shown),
        note="They cost tokens and teach nothing; the costliest first.",
    )


def _suspicious(run: Run) -> html.Section:
    kinds = detective.suspicious(run)
    title = "Suspicious completions"
    if not kinds:
        return parts.card(title, parts.empty("None was noted in what was read so far.", ""))
    lists = [
        html.Details(
            [
                html.Summary(f"{row['kind']}: {row['completions']:,}, newest first"),
                parts.table(
                    {"problem": "problem", "step": "step", "tokens": "tokens", "reward": "reward"},
                    [_suspect(run, each) for each in detective.suspects(run, row["kind"])[:30]],
                ),
            ]
        )
        for row in kinds
    ]
    return parts.card(
        title,
        *lists,
        note="Short and rewarded: under a quarter of what is usual among those that pass. At most "
        "20 of a kind and step are noted. Whether reward parts from held-out: see Alarms.",
    )


def _suspect(run: Run, row: dict[str, Any]) -> dict[str, Any]:
    link = parts.link(
        row["problem_id"],
        "problem",
        run=run.name,
        problem=row["problem_id"],
        step=str(row["step"]),
        left=str(row["place"]),
    )
    return {**row, "problem": link}


def register(app: Dash, context: Context) -> None:
    """Save the list."""

    @app.callback(
        Output("detective-list", "data"),
        Input("detective-save", "n_clicks"),
        Input("detective-save-ids", "n_clicks"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def save(tables: int | None, ids: int | None, search: str) -> Any:
        asked = read_address(context, search)
        if not (tables or ids) or asked.run is None:
            return no_update
        cause = asked.choice("cause", detective.CAUSES, "")
        rows = detective.never_solved(asked.run, cause)
        if ctx.triggered_id == "detective-save-ids":
            content = as_lines([row["problem_id"] for row in rows])
            return {"content": content, "filename": "drop.txt", "type": "text/plain"}
        columns = ("problem_id", "cause", "domain", "category", "reference", "top_wrong")
        return {"content": as_csv(columns, rows), "filename": "problems.csv", "type": "text/csv"}


VIEW = View(
    name="detective", title="Data detective", build=build, controls=controls, register=register
)
