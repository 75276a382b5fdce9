"""Learned and forgotten."""

from __future__ import annotations

from typing import Any

from dash import html

from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, learned

_SHARES = ("first_rate", "last_rate", "best_rate")


def build(context: Context, asked: Asked) -> Any:
    """How many problems were solved by when, and the three lists."""
    run = asked.run
    assert run is not None
    course = learned.course(run)
    if not len(course["step"]):
        return parts.empty(
            "No problem was solved yet.", "The lists fill once a completion of the run passes."
        )
    drawn = parts.figure(
        [
            parts.line(course["step"], course["solved"], "solved at least once"),
            parts.line(
                course["step"], course["mastered"], "three quarters passed", parts.SERIES[2]
            ),
        ],
        x="step",
        y="problems",
        legend=True,
        height=260,
    )
    return [
        parts.card(
            "Problems solved so far",
            parts.graph(drawn, "Number of problems solved, by step"),
            wide=True,
        ),
        _list(
            run,
            "Newly solved",
            learned.newly_solved(run),
            {"first_solved": "step", "first_rate": "first", "last_rate": "last"},
            "Their first draws had no pass; newest first.",
            "No problem went from no pass to a pass yet.",
        ),
        _list(
            run,
            "Lost again",
            learned.lost(run),
            {
                "best_rate": "best",
                "best_step": "in step",
                "last_rate": "last",
                "last_step": "in step",
            },
            "The pass rate of their last draw is at least 50 points below their best.",
            "No problem fell so far.",
        ),
        _list(
            run,
            "Due for a review",
            learned.due(run),
            {"last_rate": "last", "last_step": "in step", "ago": "steps ago"},
            "Mastered when last drawn, the longest ago first.",
            "No problem is mastered yet.",
        ),
    ]


def _list(
    run: Run,
    title: str,
    rows: list[dict[str, Any]],
    columns: dict[str, str],
    note: str,
    nothing: str,
) -> html.Section:
    if not rows:
        return parts.card(title, parts.empty(nothing, ""))
    shown = [
        {
            **row,
            **{key: parts.percent(row[key]) for key in _SHARES if key in row},
            "problem_id": parts.link(
                row["problem_id"], "problem", run=run.name, problem=row["problem_id"]
            ),
        }
        for row in rows[:50]
    ]
    heads = {"problem_id": "problem", "question": "question", **columns}
    count = f"{len(rows)}" if len(rows) < learned.MOST_ROWS else f"{len(rows)} or more"
    return parts.card(
        f"{title} ({count})", parts.table(heads, shown, caption=title), note=note, wide=True
    )


VIEW = View(name="learned", title="Learned and forgotten", build=build)
