"""The parts that views are made of: cards, figures, tables, empty states.

Texts of a run go into text nodes only, and into figures by :func:`plain`, because Plotly reads
tags and entities in names. Colours of texts, lines and grounds are the style sheet's, which knows
light and dark; a figure only has the colours of its data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import numpy as np
from dash import dcc, html

from rewards.shown import shown, shown_line

ACCENT = "#2f6fd6"
SERIES = (ACCENT, "#8a94a6", "#1f9d8a", "#c98a2b", "#8b6fc9", "#b3566b")
"""Colours of runs beside one another; the first is the accent."""
TIERS = ("#bfd6f6", "#8fb6ec", "#5d93e0", "#2f6cc4", "#1b4a90")
"""From the easiest to the hardest, one hue."""
_NUMBER = re.compile(r"–|[+-]?[0-9][0-9,.]*(e-?[0-9]+)?( (%|ms|s|min|h|points))?( ± [0-9.]+)?")
LONG_CHARACTERS = 22
"""Of a cell; a longer one is broken into lines."""
MOST_CHARACTERS = 100_000
"""Of one text on a page; of a longer one the rest is left away, and that is said."""


def labelled(text: str, **more: str) -> dict[str, Any]:
    """Properties by which a screen reader names a part of the page."""
    return {"aria-label": text, **{f"aria-{name}": value for name, value in more.items()}}


def plain(text: object) -> str:
    """A text as Plotly shows it letter by letter."""
    escaped = shown_line(str(text)[:200])
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        escaped = escaped.replace(sign, entity)
    return escaped


def readable(text: object) -> str:
    """A text of a run for a text node: control characters are shown, and its length is bounded."""
    whole = str(text)
    rest = len(whole) - MOST_CHARACTERS
    cut = f"{whole[:MOST_CHARACTERS]}\n… {rest:,} more characters" if rest > 0 else whole
    return shown(cut)


def link(text: str, view: str, **parameters: str | Sequence[str]) -> dcc.Link:
    """A link to a view of this page."""
    return dcc.Link(shown_line(text), href=address(view, **parameters))


def choices(title: str, options: Sequence[tuple[str, str, bool]]) -> html.Div:
    """A choice among few things: a link each, as (text, address, whether it is chosen).

    Links, because a keyboard and a screen reader know them, and a page can be sent with its choice.
    """
    return html.Div(
        [
            html.Span(title, className="label"),
            html.Ul(
                [html.Li(_option(text, href, chosen)) for text, href, chosen in options],
                className="choices",
            ),
        ],
        role="group",
        **labelled(title),
    )


def _option(text: str, href: str, chosen: bool) -> dcc.Link:
    said = html.Span(", chosen", className="unseen") if chosen else ""
    return dcc.Link([shown_line(text), said], href=href, className="here" if chosen else "")


def address(view: str, **parameters: str | Sequence[str]) -> str:
    """The address of a view with its parameters."""
    return f"/{view}?{urlencode(parameters, doseq=True, errors='surrogateescape')}"


def card(title: str, *children: Any, note: str = "", wide: bool = False) -> html.Section:
    """A part of a view under a title; ``note`` says in a sentence how to read it."""
    notes = [html.P(note, className="note")] if note else []
    return html.Section(
        [html.H2(title), *notes, *children], className="card wide" if wide else "card"
    )


def empty(what: str, todo: str) -> html.Div:
    """What a view shows where there is nothing to show: what is missing, and what to do."""
    return html.Div([html.P(what), html.P(todo, className="note")], className="empty")


def facts(pairs: Sequence[tuple[str, str]]) -> html.Dl:
    """A few numbers with their names."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts"
    )


def table(
    columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, caption: str = ""
) -> html.Div:
    """A small table; ``columns`` are its keys and titles, numbers stand at the right."""
    numeric = {key for key in columns if rows and all(_is_number(row.get(key)) for row in rows)}

    def cell(row: Mapping[str, Any], key: str) -> html.Td:
        value = row.get(key)
        content = value if hasattr(value, "to_plotly_json") else number(value)
        if key in numeric:
            return html.Td(content, className="number")
        long = isinstance(content, str) and len(content) > LONG_CHARACTERS
        return html.Td(content, className="long" if long else "")

    head = [
        html.Th(title, scope="col", className="number" if key in numeric else "")
        for key, title in columns.items()
    ]
    body = [html.Tr([cell(row, key) for key in columns]) for row in rows]
    parts: list[Any] = [html.Caption(caption)] if caption else []
    return html.Div(
        html.Table([*parts, html.Thead(html.Tr(head)), html.Tbody(body)]),
        className="table",
        tabIndex=0,
        role="region",
        **labelled(caption or "table"),
    )


def _is_number(value: Any) -> bool:
    """Whether a cell stands at the right: a number, or one with its unit."""
    return isinstance(value, int | float | None) or (
        isinstance(value, str) and bool(_NUMBER.fullmatch(value))
    )


def duration(seconds: float | None) -> str:
    """A duration in the unit that suits it."""
    if seconds is None or seconds != seconds:
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.3g} s"


def number(value: Any) -> str:
    """A value as a table shows it; a dash where none is known."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value == int(value) and abs(value) < 1e15:
            return f"{int(value):,}"
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return readable(value)


def percent(value: float | None) -> str:
    """A share in [0, 1] in per cent."""
    return "–" if value is None or value != value else f"{100 * value:.1f} %"


Figure: TypeAlias = dict[str, Any]
"""A figure as Plotly's own JSON has it: its classes would take most of a page's time."""


def figure(
    traces: Sequence[Mapping[str, Any]],
    *,
    x: str,
    y: str,
    shares: bool = False,
    height: int = 230,
    legend: bool = False,
    xaxis: Mapping[str, Any] | None = None,
    yaxis: Mapping[str, Any] | None = None,
    **layout: Any,
) -> Figure:
    """A figure with named axes; with ``shares`` the upright axis is [0, 1] in per cent."""
    upright = {"range": [0, 1.0], "tickformat": ".0%"} if shares else _from_zero(traces)
    axis = {"zeroline": False, "automargin": True}
    return {
        "data": list(traces),
        "layout": {
            "height": height,
            "margin": {"l": 56, "r": 12, "t": 8, "b": 44},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "system-ui, sans-serif", "size": 12},
            "showlegend": legend,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hovermode": "x unified",
            "hoverlabel": {"namelength": 40},
            "uirevision": "kept",
            "xaxis": {
                **axis,
                "title": {"text": x, "standoff": 8},
                "showgrid": False,
                **(xaxis or {}),
            },
            "yaxis": {
                **axis,
                "title": {"text": y, "standoff": 8},
                "nticks": 5,
                **upright,
                **(yaxis or {}),
            },
            **layout,
        },
    }


def _from_zero(traces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The upright axis of lines that are nowhere below zero: from there to somewhat above them.

    What hardly changes then looks like that, and rounding is not drawn as a cliff.
    """
    lines = [each for each in traces if each["type"] == "scatter" and "stackgroup" not in each]
    values = np.array([value for each in lines for value in each["y"]], dtype=float)
    values = values[np.isfinite(values)]
    if len(lines) < len(traces) or not values.size or values.min() < 0:
        return {}
    return {"range": [0, 1.1 * float(values.max()) or 1.0]}


def graph(made: Figure, label: str) -> html.Figure:
    """A figure on the page; ``label`` says in a sentence what it shows."""
    return html.Figure(
        dcc.Graph(
            figure=made,
            config={"displayModeBar": False, "responsive": True},
            style={"height": f"{made['layout']['height']}px"},
        ),
        role="img",
        className="graph",
        **labelled(label),
    )


def line(x: Any, y: Any, name: str, colour: str = ACCENT) -> dict[str, Any]:
    """A line of a figure."""
    return scatter(x=x, y=y, name=plain(name), mode="lines", line={"color": colour, "width": 1.8})


def scatter(**properties: Any) -> dict[str, Any]:
    """Points or lines of a figure, in Plotly's terms."""
    return trace("scatter", **properties)


def trace(kind: str, **properties: Any) -> dict[str, Any]:
    """Anything that a figure can draw, in Plotly's terms."""
    return {"type": kind, **properties}


def layer(x: Any, y: Any, name: str, colour: str) -> dict[str, Any]:
    """One of the areas of a figure that stand upon one another."""
    return scatter(
        x=x,
        y=y,
        name=plain(name),
        mode="lines",
        stackgroup="one",
        line={"width": 0.5, "color": colour},
        fillcolor=colour,
    )


def faded(colour: str, alpha: float) -> str:
    """A colour let through by ``alpha``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
