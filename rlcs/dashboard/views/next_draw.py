"""Why this problem now: the next draw, and the terms of each probability."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, next_draw
from rlcs.insight.next_draw import Preview


def controls(context: Context, asked: Asked) -> Any:
    """A problem to explain."""
    return html.Div(
        html.Label(
            [
                "Explain the problem",
                dcc.Input(
                    id={"type": "parameter", "name": "problem"},
                    value=asked.text("problem"),
                    type="text",
                    debounce=True,
                    autoComplete="off",
                    placeholder="its id",
                    maxLength=500,
                ),
            ]
        ),
        className="controls",
    )


def build(context: Context, asked: Asked) -> Any:
    """The preview, from what the last checkpoint knew."""
    run = asked.run
    assert run is not None
    task = context.next_draw(run)
    if not task.done:
        return parts.empty("Reading the checkpoint…", "This takes a moment; the page goes on.")
    if task.error:
        return parts.empty("The next draw cannot be previewed.", task.error)
    found: Preview = task.result
    return [
        *_one(found, asked),
        _shares(found),
        parts.card(
            "The most probable problems",
            parts.table(
                {"problem_id": "problem", **_titles(found)}, [_row(run, row) for row in found.rows]
            ),
            note=f"As of the checkpoint after step {found.saved.step:,}: "
            f"{found.num_draws:,} problems are drawn to train on {found.saved.groups_per_step:,}. "
            f"Drawn evenly, each would have the probability {found.even:.5f}.",
            wide=True,
        ),
    ]


def _titles(found: Preview) -> dict[str, str]:
    known = found.rows[0] if found.rows else {}
    return {key: title for key, title in next_draw.TERMS.items() if key in known}


def _row(run: Run, row: dict[str, Any]) -> dict[str, Any]:
    shown = {key: _shown(key, value) for key, value in row.items() if key != "problem_id"}
    link = parts.link(row["problem_id"], "problem", run=run.name, problem=row["problem_id"])
    return {**shown, "problem_id": link}


def _shown(key: str, value: float) -> Any:
    """One term of a draw as the page shows it."""
    if key in ("resting", "retired"):
        return "yes" if value else "no"
    return f"{value:.5f}" if key == "probability" else value


def _one(found: Preview, asked: Asked) -> list[Any]:
    wanted = asked.text("problem")
    if not wanted:
        return []
    row = next_draw.explained(found, wanted)
    if row is None:
        return [parts.empty("This run has no such problem to draw.", "Look at the id.")]
    facts = [(title, parts.number(_shown(key, row[key]))) for key, title in _titles(found).items()]
    times = row["probability"] / found.even if found.even else 0.0
    sentence = (
        "It rests, because it was drawn a short while ago."
        if row.get("resting")
        else f"It is {times:.1f} times as probable as if all problems were drawn alike."
    )
    note = (
        "A bucket holds the problems of one category that have the same standing. Its share of the "
        "draws goes by its weight and its size; within it all are equally probable."
    )
    return [
        parts.card(
            f"Why {parts.readable(wanted)[:80]}",
            html.P(sentence),
            parts.facts(facts),
            note=note,
            wide=True,
        )
    ]


def _shares(found: Preview) -> Any:
    heights = [row["probability"] for row in found.rows]
    drawn = parts.figure(
        [
            parts.trace(
                "bar", x=list(range(1, len(heights) + 1)), y=heights, marker={"color": parts.ACCENT}
            )
        ],
        x="problem, the most probable first",
        y="probability",
        hovermode="closest",
        bargap=0.15,
    )
    return parts.card(
        "How the probability falls",
        parts.graph(drawn, "Probability of the hundred most probable problems"),
        wide=True,
    )


VIEW = View(name="next_draw", title="Why this problem now", build=build, controls=controls)
