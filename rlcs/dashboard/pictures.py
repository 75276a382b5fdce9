"""Pictures of problems: asked for by run, problem and number, never by a path.

The file is opened only where it lies in the run folder or in a folder that the user named, and
goes to the browser as a PNG that is made anew from its pixels.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dash import Dash, html
from flask import Response, abort, request

from rlcs.dashboard import parts
from rlcs.dashboard.context import Context
from rlcs.insight import Run, marks, problem

ROUTE = "/picture"
MOST_BYTES = 64 * 2**20
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 2_000
"""Pixels; a larger picture is made smaller for the page."""


def picture(
    run: Run, found: problem.Problem, number: int, rows: list[dict[str, Any]]
) -> html.Figure:
    """A picture of a problem on the page, with its targets and where completions pointed."""
    dialect = str(run.setting(f"scoring.domains.{found.domain}.settings.dialect", "auto"))
    drawn = [_mark(mark, "target") for mark in marks.targets(found.reference, dialect=dialect)]
    for row in rows:
        answer = row["extracted"] or row["answer"]
        pointed = marks.predicted(answer, found.reference, dialect=dialect)
        drawn += [_mark(mark, "predicted") for mark in pointed]
    legend = " Solid green: the target. Dashed or round, orange: where the completions below point."
    query = urlencode(
        {"run": run.name, "problem": found.problem_id, "number": number}, errors="surrogateescape"
    )
    size = found.images[number]
    return html.Figure(
        [
            html.Div(
                [
                    html.Img(src=f"{ROUTE}?{query}", alt=f"picture {number + 1} of this problem"),
                    *drawn,
                ],
                className="picture",
            ),
            html.Figcaption(
                f"{parts.number(size.get('width'))} × {parts.number(size.get('height'))} pixels."
                + (legend if drawn else "")
            ),
        ]
    )


def _mark(mark: marks.Mark, kind: str) -> html.Div:
    is_box = mark.width > 0 and mark.height > 0
    sides = {"left": mark.left, "top": mark.top}
    if is_box:
        sides |= {"width": mark.width, "height": mark.height}
    return html.Div(
        className=f"{'box' if is_box else 'click'} {kind}",
        style={side: f"{100 * share:.3f}%" for side, share in sides.items()},
    )


def register(app: Dash, context: Context) -> None:
    """Answer requests for pictures."""

    @app.server.route(ROUTE)
    def send_picture() -> Response:
        run = context.run(request.args.get("run", ""))
        if run is None:
            abort(404)
        found = problem.problem(run, request.args.get("problem", ""))
        number = request.args.get("number", 0, type=int)
        if not 0 <= number < len(found.images):
            abort(404)
        content = read_picture(
            found.images[number].get("file"), [run.folder, *context.picture_folders]
        )
        if content is None:
            abort(404)
        return Response(content, mimetype="image/png")


def read_picture(file: Any, folders: list[Path]) -> bytes | None:
    """The picture in ``file`` as PNG; None where it is none, or lies in none of the folders."""
    import PIL.Image

    if not isinstance(file, str) or "\0" in file:
        return None
    try:
        path = Path(file).resolve(strict=True)
        inside = any(path.is_relative_to(folder.resolve()) for folder in folders)
        if not inside or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        with PIL.Image.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return None
            opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            made = io.BytesIO()
            opened.convert("RGB").save(made, "PNG")
    except (OSError, ValueError, SyntaxError, RuntimeError, PIL.Image.DecompressionBombError):
        return None
    return made.getvalue()
