"""The frame around every view: the menu, the choice of a run, and the look at what is new."""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from rewards.shown import shown_line
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked, read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.views import VIEWS, View

LOOK_SECONDS = 1.0
"""Seconds between two looks at whether the run went on."""
FIRST = "overview"
MOST_LISTED = 200
"""Runs to choose from, those that wrote last."""


def layout() -> html.Div:
    """The frame; what is in it comes by callbacks."""
    return html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav"),
            dcc.Interval(id="tick", interval=LOOK_SECONDS * 1000),
            dcc.Store(id="seen"),
            dcc.Store(id="theme", storage_type="local"),
            html.A("Skip to the content", href="#main", className="skip"),
            html.Header(
                [
                    html.Strong("RLCS", className="brand"),
                    html.Div(id="choice"),
                    html.Div(id="status", role="status"),
                    html.Button("Light or dark", id="theme-button", className="quiet"),
                ]
            ),
            html.Div(
                [
                    html.Nav(id="menu", **parts.labelled("Views")),
                    html.Main(
                        [
                            html.H1(id="title"),
                            html.Div(id="controls"),
                            html.Div(id="content", className="cards"),
                        ],
                        id="main",
                        tabIndex=-1,
                    ),
                ],
                className="columns",
            ),
        ],
        id="page",
    )


def register(app: Dash, context: Context) -> None:
    """Declare the callbacks of the frame and of every view."""

    @app.callback(
        Output("choice", "children"),
        Output("menu", "children"),
        Output("title", "children"),
        Output("controls", "children"),
        Input("address", "pathname"),
        Input("address", "search"),
    )
    def show_frame(path: str, search: str) -> tuple[Any, ...]:
        view, asked = view_of(path), read_address(context, search)
        # The overview compares runs, and has a choice of several among its controls.
        choice = [] if view.name == FIRST else _choice(context, view, asked)
        return choice, _menu(view, asked), view.title, view.controls(context, asked)

    @app.callback(
        Output("content", "children"),
        Input("address", "pathname"),
        Input("address", "search"),
        Input("seen", "data"),
        State("content", "children"),
    )
    def show_content(path: str, search: str, seen: str, shown: Any) -> Any:
        view = view_of(path)
        went_on = set(ctx.triggered_prop_ids) == {"seen.data"}
        if went_on and not view.live and not _is_empty(shown):
            return no_update
        return content(context, view, read_address(context, search))

    @app.callback(
        Output("status", "children"),
        Output("seen", "data"),
        Input("tick", "n_intervals"),
        Input("address", "search"),
        State("seen", "data"),
    )
    def look(_: int, search: str, seen: str) -> tuple[Any, Any]:
        asked = read_address(context, search)
        now = f"{_fingerprint(asked)} {context.work.state}"
        return _status(context, asked), no_update if now == seen else now

    _register_parameters(app, context)
    app.clientside_callback(
        ClientsideFunction("frame", "setTheme"),
        Output("theme", "data"),
        Input("theme-button", "n_clicks"),
        State("theme", "data"),
    )
    for view in VIEWS.values():
        view.register(app, context)


def _register_parameters(app: Dash, context: Context) -> None:
    """What is chosen in a view's controls goes into the address."""

    @app.callback(
        Output("address", "search"),
        Input({"type": "parameter", "name": ALL}, "value"),
        State({"type": "parameter", "name": ALL}, "id"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def set_parameters(values: list[Any], ids: list[dict[str, str]], search: str) -> Any:
        parameters = dict(read_address(context, search).parameters)
        for value, identity in zip(values, ids, strict=True):
            several = value if isinstance(value, list) else [value]
            parameters[identity["name"]] = [str(each) for each in several if each not in (None, "")]
        asked = parts.address("", **parameters).removeprefix("/")
        return no_update if asked == search else asked


def content(context: Context, view: View, asked: Asked) -> Any:
    """A view's content, or what to do where its run is gone or none is there."""
    if asked.missing:
        names = ", ".join(shown_line(name) for name in asked.missing)
        return parts.empty(
            f"No run {names} can be opened in {shown_line(str(context.runs.folder.root))}.",
            "It was removed or renamed, or leads out of the runs folder. Choose another one above.",
        )
    if asked.run is None:
        return parts.empty(
            f"There is no run in {shown_line(str(context.runs.folder.root))} yet.",
            "Start one, for example: rlcs train configs/quickstart.yaml. It appears here.",
        )
    return view.build(context, asked)


def _is_empty(shown: Any) -> bool:
    """Whether a page shows that there is nothing yet: then it is made anew in any case."""
    properties = shown.get("props") if isinstance(shown, dict) else None
    return isinstance(properties, dict) and properties.get("className") == "empty"


def view_of(path: str | None) -> View:
    """The view that an address names; the first one for every other."""
    return VIEWS.get((path or "").strip("/"), VIEWS[FIRST])


def _choice(context: Context, view: View, asked: Asked) -> Any:
    """Which run: links behind a line that opens, all of them within reach of the keyboard."""
    entries = context.runs.entries()[:MOST_LISTED]
    chosen = asked.run.name if asked.run else ""
    lines = [
        html.Li(
            f"{shown_line(entry.name)} · refused: {shown_line(entry.note)}"
            if entry.state == "refused"
            else dcc.Link(
                f"{shown_line(entry.name)} · {entry.state}",
                href=parts.address(view.name, run=entry.name),
                className="here" if entry.name == chosen else "",
            )
        )
        for entry in entries
    ]
    return html.Details(
        [
            html.Summary([html.Span("Run ", className="label"), shown_line(chosen or "none")]),
            html.Ul(lines),
        ],
        key=parts.address(view.name, run=chosen),  # a new one, which is closed, for a new page
        className="run-choice",
    )


def _menu(current: View, asked: Asked) -> list[Any]:
    runs = [run.name for run in asked.runs]
    return [
        dcc.Link(
            view.title,
            href=parts.address(view.name, run=runs if view.name == FIRST else runs[:1]),
            className="here" if view is current else "",
        )
        for view in VIEWS.values()
        if view.in_menu
    ]


def _status(context: Context, asked: Asked) -> str:
    if asked.run is None:
        return ""
    run, progress = asked.run, asked.run.progress()
    planned = run.setting("run.num_steps")
    said = [run.state, f"step {progress['steps']:,}"]
    if isinstance(planned, int):
        said[-1] += f" of {planned:,}"
    if progress["completions_read"] < progress["steps"]:
        said.append(f"completions read: {progress['completions_read']:,} steps")
    if progress["unreadable"]:
        said.append(f"{progress['unreadable']} files of completions cannot be read")
    if bad := sum(progress["bad_lines"].values()):
        said.append(f"{bad} lines of the log cannot be read")
    if run.name in context.troubles:
        said.append(f"reading it fails ({context.troubles[run.name]}), what was read is shown")
    return " · ".join(said)


def _fingerprint(asked: Asked) -> str:
    return " ".join(
        f"{run.progress()['steps']}.{run.progress()['groups']}.{run.store.note('derived')}"
        for run in asked.runs
    )
