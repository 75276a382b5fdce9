"""Problems: the table of all of them, of which the page holds a few hundred rows at a time."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import Dash, Input, Output, State, dcc, html, no_update

from rewards.shown import shown_line
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked, read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import problems

_SHARES = ("pass_rate", "first_rate", "last_rate", "prior_pass_rate")
_TEXTS = ("problem_id", "question", "domain", "category", "tier")
_THEME = """themeQuartz.withParams({
    backgroundColor: 'var(--card)', foregroundColor: 'var(--text)', accentColor: 'var(--accent)',
    borderColor: 'var(--edge)', headerBackgroundColor: 'var(--card)',
    headerTextColor: 'var(--muted)', browserColorScheme: 'inherit', fontFamily: 'inherit',
    fontSize: 13, wrapperBorder: false})"""
_WIDTHS = {"problem_id": 170, "question": 340, "category": 160, "tier": 150}


def controls(context: Context, asked: Asked) -> Any:
    """The search."""
    return html.Div(
        [
            html.Label(
                [
                    "Search ids and questions",
                    dcc.Input(
                        id={"type": "parameter", "name": "search"},
                        value=asked.text("search"),
                        debounce=True,
                        type="search",
                        autoComplete="off",
                        maxLength=200,
                    ),
                ]
            )
        ],
        className="controls",
    )


def build(context: Context, asked: Asked) -> Any:
    """The grid, and below it the problem that was chosen in it."""
    assert asked.run is not None
    if not asked.run.progress()["groups"]:
        return parts.empty(
            "No problem was drawn yet.", "The table fills with the first step of the run."
        )
    grid = dag.AgGrid(
        id="problems-grid",
        columnDefs=[_column(name, title) for name, title in problems.COLUMNS.items()],
        rowModelType="infinite",
        defaultColDef={"sortable": True, "resizable": True, "width": 120},
        dashGridOptions={
            "cacheBlockSize": 100,
            "maxBlocksInCache": 8,
            "rowSelection": {
                "mode": "singleRow",
                "checkboxes": False,
                "enableClickSelection": True,
            },
            "enableCellTextSelection": True,
            "theme": {"function": _THEME},
            "suppressDragLeaveHidesColumns": True,
        },
        getRowId="params.data.problem_id",
        className="problems",
        style={"height": "62vh"},
    )
    return [
        parts.card("All problems", grid, note=problems.missing(asked.run), wide=True),
        html.Div(
            html.P("Choose a row, by a click or by the arrow keys and space.", className="note"),
            id="problem-chosen",
            role="status",
            className="wide",
        ),
    ]


def _column(name: str, title: str) -> dict[str, Any]:
    column: dict[str, Any] = {
        "field": name,
        "headerName": title,
        "filter": "agTextColumnFilter" if name in _TEXTS else "agNumberColumnFilter",
        "filterParams": {"maxNumConditions": 1},
        "width": _WIDTHS.get(name, 120),
        "wrapHeaderText": True,
        "autoHeaderHeight": True,
    }
    if name not in _TEXTS:
        column["type"] = "rightAligned"
    if name in _SHARES:
        column["valueFormatter"] = {
            "function": "params.value == null ? '–' : d3.format('.1%')(params.value)"
        }
    elif name not in _TEXTS:
        column["valueFormatter"] = {
            "function": "params.value == null ? '–' : d3.format(',')(params.value)"
        }
    if name == "problem_id":
        column["pinned"] = "left"
    return column


def register(app: Dash, context: Context) -> None:
    """Answer the grid, and show what is chosen in it."""

    @app.callback(
        Output("problems-grid", "getRowsResponse"),
        Input("problems-grid", "getRowsRequest"),
        State("address", "search"),
    )
    def rows(request: dict[str, Any] | None, search: str) -> Any:
        asked = read_address(context, search)
        if not request or asked.run is None:
            return no_update
        start = int(request.get("startRow", 0))
        page = problems.page(
            asked.run,
            start=start,
            count=int(request.get("endRow", 100)) - start,
            search=asked.text("search"),
            sort=request.get("sortModel") or (),
            filters=request.get("filterModel") or {},
        )
        shown = [
            {
                key: shown_line(value) if isinstance(value, str) and key != "problem_id" else value
                for key, value in row.items()
            }
            for row in page.rows
        ]
        return {"rowData": shown, "rowCount": page.number}

    @app.callback(
        Output("problem-chosen", "children"),
        Input("problems-grid", "selectedRows"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def choose(chosen: list[dict[str, Any]] | None, search: str) -> Any:
        asked = read_address(context, search)
        if not chosen or asked.run is None:
            return no_update
        name = str(chosen[0].get("problem_id"))
        return parts.card(
            f"Problem {shown_line(name)}",
            html.P(parts.readable(chosen[0].get("question") or ""), className="text"),
            parts.link("Open this problem", "problem", run=asked.run.name, problem=name),
            wide=True,
        )


VIEW = View(
    name="problems",
    title="Problems",
    build=build,
    controls=controls,
    register=register,
    live=False,
)
