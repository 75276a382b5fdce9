"""What if: the log replayed under other curricula."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from curricula.study.contender import USUAL
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked, read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.dashboard.work import Task
from rlcs.insight import Run, what_if

COLUMNS = {
    "name": "curriculum",
    "valid": "valid groups",
    "variance": "reward variance",
    "effective": "effective groups",
    "covered": "covered",
    "brier": "Brier score",
}
MOST_SAMPLERS = 6


def controls(context: Context, asked: Asked) -> Any:
    """The curricula to compare."""
    return html.Div(
        [
            html.Label(
                [
                    "Curricula to compare, separated by semicolons",
                    dcc.Input(
                        id={"type": "parameter", "name": "samplers"},
                        value=_samplers(asked),
                        type="text",
                        debounce=True,
                        size="44",
                        maxLength=400,
                    ),
                ]
            ),
            html.Button("Replay", id="what-if-start", className="quiet"),
        ],
        className="controls",
    )


def build(context: Context, asked: Asked) -> Any:
    """The comparison, once it was asked for."""
    run = asked.run
    assert run is not None
    task = context.work.known(_key(run, asked))
    if task is None:
        return parts.empty(
            "Each step of the log answers what another curriculum would have drawn next.",
            "Press Replay. It takes from seconds to a minute, and runs beside the page.",
        )
    if not task.done:
        return parts.empty(f"Replaying: {100 * task.share:.0f} %", "The page goes on by itself.")
    if task.error:
        return parts.empty("It cannot be replayed.", task.error)
    rows = task.result
    remarks = [f"{row.name}: {remark}" for row in rows for remark in row.remarks]
    return parts.card(
        "What they would have drawn",
        parts.table(COLUMNS, [_row(row) for row in rows]),
        html.Ul([html.Li(parts.readable(remark), className="note") for remark in remarks]),
        note="From the model as this run had trained it; not how the model would have fared. "
        f"The newest {what_if.MOST_GROUPS:,} groups at most; all of them: rlcs simulate RUN.",
        wide=True,
    )


def _row(row: Any) -> dict[str, Any]:
    half = 100 * row.valid_interval
    valid = parts.percent(row.valid_share)
    return {
        "name": row.name,
        "valid": f"{valid} ± {half:.1f}" if half == half else valid,
        "variance": row.variance,
        "effective": float(round(row.effective_groups)),
        "covered": parts.percent(row.covered),
        "brier": row.brier,
    }


def _samplers(asked: Asked) -> str:
    return asked.text("samplers", "; ".join(USUAL))


def _key(run: Run, asked: Asked) -> object:
    return run.name, "what_if", _samplers(asked)


def register(app: Dash, context: Context) -> None:
    """Begin the replay."""

    @app.callback(
        Output("what-if-start", "disabled"),
        Input("what-if-start", "n_clicks"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def start(clicks: int | None, search: str) -> Any:
        asked = read_address(context, search)
        run = asked.run
        if not clicks or run is None:
            return no_update
        names = [part.strip() for part in _samplers(asked).split(";") if part.strip()]

        def make(task: Task) -> Any:
            def told(share: float) -> None:
                task.share = share

            return what_if.what_if(run, names[:MOST_SAMPLERS], on_progress=told)

        context.work.ask(_key(run, asked), make)
        return False


VIEW = View(name="what_if", title="What if", build=build, controls=controls, register=register)
