"""One problem: its text and pictures, its posterior, and its completions side by side."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from dash import html

from rewards.shown import shown_line
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.differences import differences
from rlcs.dashboard.pictures import picture
from rlcs.dashboard.views.view import View
from rlcs.insight import Run, problem

VISITS = {
    "step": "step",
    "tier": "tier",
    "draw_probability": "draw probability",
    "passes": "passes",
    "attempts": "judged",
    "errors": "our failures",
    "tokens": "tokens",
    "fate": "fate",
    "open": "completions",
}


def build(context: Context, asked: Asked) -> Any:
    """Everything about the problem that the address names."""
    assert asked.run is not None
    run, name = asked.run, asked.text("problem")
    if not name:
        return parts.empty(
            "No problem is chosen.", "Choose one in the table of problems, or follow a link to one."
        )
    found = problem.problem(run, name)
    visits = problem.visits(run, name)
    if not found.known and not visits:
        return parts.empty(
            f"This run has no problem {shown_line(name)}.",
            "It may not have been read yet: look at the line at the top of the page.",
        )
    step = _step(asked, visits)
    rows = _completions(run, name, step) if step is not None else []
    return [
        _text(run, found, rows, asked),
        _posterior(run, name, visits),
        _visits(run, name, visits, step),
        *_side_by_side(run, name, step, rows, asked),
        *_all(rows, step),
    ]


def _step(asked: Asked, visits: list[dict[str, Any]]) -> int | None:
    steps = [visit["step"] for visit in visits]
    wanted = int(asked.number("step", -1)) if asked.text("step") else -1
    return wanted if wanted in steps else (steps[-1] if steps else None)


def _completions(run: Run, name: str, step: int) -> list[dict[str, Any]] | str:
    try:
        return problem.completions(run, name, step)
    except (OSError, ValueError, pa.ArrowException) as error:
        return str(error)


def _text(
    run: Run, found: problem.Problem, rows: list[dict[str, Any]] | str, asked: Asked
) -> html.Section:
    facts = [
        ("domain", shown_line(found.domain)),
        ("category", shown_line(found.category)),
        ("pass rate before the run", parts.percent(found.prior_pass_rate)),
    ]
    if found.missing:
        missing = parts.empty("The text of this problem is not in the run folder.", found.missing)
        return parts.card(f"Problem {shown_line(found.problem_id)}", parts.facts(facts), missing)
    turns = [
        html.Div([html.H3(shown_line(role)), html.P(parts.readable(text), className="text")])
        for role, text in found.messages
    ]
    chosen = _chosen(asked, rows)
    return parts.card(
        f"Problem {shown_line(found.problem_id)}",
        parts.facts(facts),
        *turns,
        *[
            picture(
                run, found, number, [rows[at] for at in chosen] if not isinstance(rows, str) else []
            )
            for number in range(len(found.images))
        ],
        html.H3("Reference"),
        html.Pre(parts.readable(_reference(found.reference))),
        wide=True,
    )


def _reference(reference: Any) -> str:
    if isinstance(reference, str):
        return reference
    return json.dumps(reference, ensure_ascii=False, indent=1)


def _posterior(run: Run, name: str, visits: list[dict[str, Any]]) -> html.Section:
    title = "What the draws say of its pass rate"
    if not visits:
        return parts.card(
            title, parts.empty("It was never drawn.", "The curriculum knows its category alone.")
        )
    known = problem.posterior(run, name)
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    drawn = parts.figure(
        [
            parts.scatter(x=known.step, y=known.high, **edge),
            parts.scatter(
                x=known.step,
                y=known.low,
                fill="tonexty",
                fillcolor=parts.faded(parts.ACCENT, 0.18),
                **edge,
            ),
            parts.line(known.step, known.mean, "posterior mean"),
            parts.scatter(
                x=known.step,
                y=known.observed,
                name="pass rate of the draw",
                mode="markers",
                marker={"color": parts.SERIES[3], "size": 7},
            ),
        ],
        x="step",
        y="pass rate",
        shares=True,
        legend=True,
        yaxis={"range": [-0.04, 1.04]},
    )
    return parts.card(
        title,
        parts.graph(drawn, "Posterior mean of the pass rate with its 90 % band, by step"),
        note="The band holds 90 % of the posterior; its prior is the pass rate of the category.",
        wide=True,
    )


def _visits(run: Run, name: str, visits: list[dict[str, Any]], step: int | None) -> html.Section:
    rows = [
        {
            **visit,
            "draw_probability": _small(visit["draw_probability"]),
            "open": "shown"
            if visit["step"] == step
            else parts.link("show", "problem", run=run.name, problem=name, step=str(visit["step"])),
        }
        for visit in visits[-200:]
    ]
    return parts.card(
        "Its draws", parts.table(VISITS, rows[::-1], caption="Draws, newest first"), wide=True
    )


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _chosen(asked: Asked, rows: list[dict[str, Any]] | str) -> list[int]:
    """The two completions to show: those asked for, else a pass beside a failure."""
    if isinstance(rows, str) or not rows:
        return []
    passed = [at for at, row in enumerate(rows) if row["passed"]]
    failed = [at for at, row in enumerate(rows) if not row["passed"]]
    usual = (passed + failed)[0], (failed + passed)[0]
    if usual[0] == usual[1] and len(rows) > 1:
        usual = 0, 1
    chosen = []
    for key, default in zip(("left", "right"), usual, strict=True):
        at = int(asked.number(key, default))
        chosen.append(at if at < len(rows) else default)
    return chosen


def _side_by_side(
    run: Run, name: str, step: int | None, rows: list[dict[str, Any]] | str, asked: Asked
) -> list[html.Section]:
    if step is None:
        return []
    title = f"Two completions of step {step}"
    if isinstance(rows, str):
        return [parts.card(title, parts.empty("They cannot be shown.", rows), wide=True)]
    if not rows:
        note = "The file of this step has none of this problem."
        return [parts.card(title, parts.empty("There is none.", note), wide=True)]
    left, right = _chosen(asked, rows)
    marked = differences(rows[left]["text"] or "", rows[right]["text"] or "")
    columns = [
        html.Div(
            [
                parts.choices(
                    f"{side} completion",
                    [
                        (_label(row), asked.changed(VIEW.name, **{side: str(each)}), each == at)
                        for each, row in enumerate(rows)
                    ],
                ),
                _verdict(rows[at]),
                html.Div(
                    text,
                    className="text completion",
                    tabIndex=0,
                    role="region",
                    **parts.labelled(f"{side} completion"),
                ),
            ]
        )
        for side, at, text in zip(("left", "right"), (left, right), marked, strict=True)
    ]
    return [
        parts.card(
            title,
            html.Div(columns, className="beside"),
            note="What only one of them says is marked.",
            wide=True,
        )
    ]


def _label(row: dict[str, Any]) -> str:
    return f"{row['index']}: {row['outcome']}"


def _verdict(row: dict[str, Any]) -> html.Dl:
    versions = f"{row['policy_version']}"
    if row["last_policy_version"] not in (None, row["policy_version"]):
        versions += f" to {row['last_policy_version']}"
    return parts.facts(
        [
            ("verdict", "passed" if row["passed"] else "not passed"),
            ("outcome", parts.number(row["outcome"])),
            ("reward", parts.number(row["reward"])),
            ("advantage", parts.number(row["advantage"])),
            ("answer", parts.number(row["extracted"])),
            ("reason", parts.number(row["detail"] or None)),
            ("tokens", parts.number(row["completion_tokens"])),
            ("ended by", parts.number(row["finish_reason"])),
            ("policy version", versions),
        ]
    )


def _all(rows: list[dict[str, Any]] | str, step: int | None) -> list[html.Section]:
    if isinstance(rows, str) or not rows:
        return []
    items = [
        html.Details(
            [
                html.Summary(f"{_label(row)}, {parts.number(row['completion_tokens'])} tokens"),
                _verdict(row),
                *(
                    [html.H3("Thinking"), html.P(parts.readable(row["thinking"]), className="text")]
                    if row["thinking"]
                    else []
                ),
                html.H3("Answer"),
                html.P(parts.readable(row["answer"]), className="text"),
            ]
        )
        for row in rows
    ]
    return [parts.card(f"All completions of step {step}", *items, wide=True)]


VIEW = View(name="problem", title="One problem", build=build, live=False)
