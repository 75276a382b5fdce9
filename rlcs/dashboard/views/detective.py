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
from rlcs.insight import Run, detective, problems

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


LISTS = {
    "never-table": "Save these as a table (CSV)",
    "never-ids": "Save their ids (data.drop)",
    "always-ids": "Save the ids of those always solved (data.drop)",
    "suspects-table": "Save the suspicious completions (CSV)",
}
"""The lists that can be saved: the ids of their buttons, and what is written on them."""
_NEVER_SAVED = ("problem_id", "cause", "domain", "category", "reference", "top_wrong")
_SUSPECTS_SAVED = ("kind", "problem_id", "step", "place", "tokens", "reward")


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
            *[html.Button(title, id=name, className="quiet") for name, title in LISTS.items()],
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
        never = parts.table(NEVER, [_problem(run, row) for row in rows])
    texts = []
    if missing := problems.missing(run):
        texts = [parts.empty("Which answers read like the reference cannot be told.", missing)]
    return [
        *texts,
        parts.card(
            "Never solved",
            parts.table(
                {"cause": "likely cause", "problems": "problems", "tokens": "tokens", "means": ""},
                causes,
            )
            if causes
            else "",
            never,
            note=f"Ranked by how far their completions agree; the first {detective.MOST_ROWS} at "
            "most. What is saved has all of them: the table to correct the data by, the ids for "
            "data.drop, which leaves them out of a run.",
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
        for row in rows
    ]
    return parts.card(
        f"Always solved ({rows[0]['number']:,})",
        parts.table(columns, shown),
        note="They cost tokens and teach nothing; the costliest first, "
        f"{detective.MOST_ROWS} at most.",
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
                    [_suspect(run, each) for each in detective.suspects(run, row["kind"])],
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
    """Save the lists."""

    @app.callback(
        Output("detective-list", "data"),
        inputs={
            "clicks": [Input(name, "n_clicks") for name in LISTS],
            "search": State("address", "search"),
        },
        prevent_initial_call=True,
    )
    def save(clicks: list[int | None], search: str) -> Any:
        asked = read_address(context, search)
        if not any(clicks) or asked.run is None:
            return no_update
        cause = asked.choice("cause", detective.CAUSES, "")
        return _saved(asked.run, str(ctx.triggered_id), cause)


def _saved(run: Run, name: str, cause: str) -> dict[str, str]:
    """The file of one of :data:`LISTS`, with all that belongs in it."""
    if name == "suspects-table":
        content = as_csv(_SUSPECTS_SAVED, detective.suspects(run, most=None))
        return {"content": content, "filename": "suspicious.csv", "type": "text/csv"}
    rows = (
        detective.always_solved(run, most=None)
        if name == "always-ids"
        else detective.never_solved(run, cause, most=None)
    )
    if name == "never-table":
        content = as_csv(_NEVER_SAVED, rows)
        return {"content": content, "filename": "problems.csv", "type": "text/csv"}
    content = as_lines([row["problem_id"] for row in rows])
    return {"content": content, "filename": "drop.txt", "type": "text/plain"}


VIEW = View(
    name="detective", title="Data detective", build=build, controls=controls, register=register
)
