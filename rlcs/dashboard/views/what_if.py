"""What if: the log replayed under other curricula."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from curricula.study.contender import USUAL
from curricula.study.replay import Replay
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked, read_address
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.dashboard.work import Task
from rlcs.errors import ConfigError
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
                    f"Curricula to compare, separated by semicolons, {MOST_SAMPLERS} at most",
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
    found: what_if.WhatIf = task.result
    rows = found.rows
    remarks = [f"{row.name}: {remark}" for row in rows for remark in row.remarks]
    return parts.card(
        "What they would have drawn",
        parts.table(COLUMNS, [_row(row) for row in rows]),
        html.Ul([html.Li(parts.readable(remark), className="note") for remark in remarks]),
        note=f"Of the {found.num_groups:,} groups that the run drew in steps {found.first:,} to "
        f"{found.last:,}, from the model as it had trained it then; not how the model would have "
        f"fared.{'' if found.whole else _PART}",
        wide=True,
    )


_PART = " What curricula learn, they learn from these steps alone. All steps: rlcs simulate RUN."


def _row(row: Replay) -> dict[str, Any]:
    return {
        "name": row.name,
        "valid": _share(row.valid_share, row.valid_interval),
        "variance": row.variance,
        "effective": float(round(row.effective_groups)),
        "covered": _share(row.covered, row.covered_interval),
        "brier": row.brier,
    }


def _share(share: float, half: float) -> str:
    """A share with half the width of its interval, where there is one that can be seen."""
    return f"{parts.percent(share)} ± {100 * half:.1f}" if half > 0.0005 else parts.percent(share)


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
        if not clicks or asked.run is None:
            return no_update
        begin(context, asked.run, asked)
        return False


def begin(context: Context, run: Run, asked: Asked) -> Task:
    """Replay beside the page what the run has drawn; what it drew since the last time, too."""
    names = [part.strip() for part in _samplers(asked).split(";") if part.strip()]

    def make(task: Task) -> what_if.WhatIf:
        def told(share: float) -> None:
            task.share = share

        if not 1 <= len(names) <= MOST_SAMPLERS:
            raise ConfigError(f"Expected 1 to {MOST_SAMPLERS} curricula, found {len(names)}.")
        return what_if.what_if(run, names, on_progress=told)

    return context.work.ask(_key(run, asked), make, version=run.store.note("derived") or "")


VIEW = View(name="what_if", title="What if", build=build, controls=controls, register=register)
