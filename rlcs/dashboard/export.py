"""A run as one self-contained page: for a paper, or for somebody who has not the run.

It holds the views that need no server, as they are when it is written; texts are escaped, and the
one script in it is Plotly's.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from dash.development.base_component import Component
from plotly.offline import get_plotlyjs

from rlcs.dashboard.asked import read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.parts import address
from rlcs.dashboard.views import VIEWS
from rlcs.errors import RunFolderError
from rlcs.files import write_whole, writing
from rlcs.insight import Runs

EXPORTED = ("overview", "alarms", "river", "waste", "learned", "calibration", "verifiers", "system")
_TAGS = {
    "H1",
    "H2",
    "H3",
    "P",
    "Div",
    "Section",
    "Figure",
    "Figcaption",
    "Dl",
    "Dt",
    "Dd",
    "Ul",
} | {
    *(
        "Li",
        "Strong",
        "Span",
        "Table",
        "Caption",
        "Thead",
        "Tbody",
        "Tr",
        "Th",
        "Td",
        "Pre",
        "Mark",
    ),
    *("Details", "Summary"),
}
_STYLE = Path(__file__).parent / "assets" / "style.css"


def export(runs: Path, out: Path) -> None:
    """Write the page of the run folder ``runs``; of a folder with runs, that which wrote last.

    Raises:
        RunFolderError: there is no run.
        StorageError: the disk does not take the page.
    """
    context = Context(runs=Runs(runs))
    try:
        usable = [entry.name for entry in context.runs.entries() if entry.state != "refused"]
        if not usable:
            raise RunFolderError(
                f"expected a run in {runs}, found none. Start one, or name another."
            )
        run = context.runs.run(usable[0])
        while run.reader.read(60):
            pass
        run.reader.read_draws()  # which makes the derived tables whatever that takes
        with writing("the page", out.parent):
            write_whole(out, page(context, run.name))
    finally:
        context.close()


def page(context: Context, name: str) -> str:
    """The page of one run as HTML."""
    asked = read_address(context, address("", run=name).removeprefix("/"))
    figures: list[dict[str, Any]] = []
    sections = []
    for view in (VIEWS[each] for each in EXPORTED):
        content = _written(view.build(context, asked), figures)
        sections.append(f"<h1>{html.escape(view.title)}</h1><div class='cards'>{content}</div>")
    data = _safe_json(figures)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{html.escape(name)}</title><style>{_STYLE.read_text()}</style>"
        f"<script>{get_plotlyjs()}</script></head><body><main>"
        f"<p class='note'>The run {html.escape(name)}, as rlcs dashboard --export wrote it.</p>"
        f"{''.join(sections)}</main><script type='application/json' id='figures'>{data}</script>"
        f"<script>{_DRAW}</script></body></html>\n"
    )


_DRAW = """
const figures = JSON.parse(document.getElementById("figures").textContent);
figures.forEach((figure, at) => Plotly.newPlot(
  "figure-" + at, figure.data, figure.layout, {displayModeBar: false, responsive: true}));
"""


def _safe_json(figures: list[dict[str, Any]]) -> str:
    """JSON in which no text can end the script that holds it."""
    from plotly.utils import PlotlyJSONEncoder

    text = json.dumps(figures, cls=PlotlyJSONEncoder)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _written(node: Any, figures: list[dict[str, Any]]) -> str:
    """A part of a view as HTML; figures are put aside, links and controls become plain text."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(_written(each, figures) for each in node)
    if not isinstance(node, Component):
        return html.escape(str(node))
    kind = type(node).__name__
    children = getattr(node, "children", None)
    if kind == "Graph":
        figure: Any = getattr(node, "figure")  # noqa: B009 - Dash declares it nowhere
        figures.append(figure)
        height = figure["layout"]["height"]
        return f"<div id='figure-{len(figures) - 1}' style='height:{height}px'></div>"
    inside = _written(children, figures)
    if kind not in _TAGS:
        return inside
    tag = kind.lower()
    classes = html.escape(getattr(node, "className", None) or "", quote=True)
    return f'<{tag} class="{classes}">{inside}</{tag}>'
