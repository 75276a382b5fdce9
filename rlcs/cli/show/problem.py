"""One problem in the terminal: its text, its draws, and its completions in one of them."""

from __future__ import annotations

import json
from typing import Any

from rewards.shown import shown_line
from rlcs.cli.show.step import completions_of, print_completions
from rlcs.cli.terminal import UNKNOWN, count, heading, say, table
from rlcs.errors import RunFolderError
from rlcs.insight import Run, problem
from rlcs.insight.completions import steps_kept
from rlcs.run.progress import shown_share

MOST_DRAWS = 20
COLUMNS = {
    "step": "right",
    "tier": "left",
    "probability": "right",
    "passes": "right",
    "judged": "right",
    "our failures": "right",
    "tokens": "right",
    "fate": "left",
}


def show_problem(run: Run, name: str, *, step: int | None) -> None:
    """Print the problem ``name``, with its completions of ``step`` or else the newest kept.

    Raises:
        RunFolderError: the run has no such problem, or it was not drawn in ``step``.
    """
    run.reader.read_draws()
    found = problem.problem(run, name)
    draws = problem.visits(run, name)
    if not found.known and not draws:
        raise RunFolderError(
            f"expected a problem of {run.name}, found none with the id {name}. "
            f"rlcs show {run.name} --step N lists those of a step with their ids."
        )
    steps = [draw["step"] for draw in draws]
    if step is not None and step not in steps:
        drawn = f"it was drawn in {_listed(steps)}" if steps else "it was never drawn"
        raise RunFolderError(f"expected a draw of {name} in step {step}: {drawn}.")
    _print_text(found)
    _print_draws(draws)
    if not draws:
        return
    kept = steps_kept(run.folder)
    newest = max((each for each in steps if each in kept), default=None)
    chosen = newest if step is None else step
    say("")
    if chosen is None:
        say("Its completions are not in the run folder.")
        return
    say(f"its completions in step {chosen}:")
    print_completions(completions_of(run, chosen, name))


def _listed(steps: list[int]) -> str:
    shown = ", ".join(str(step) for step in steps[-10:])
    return f"steps {shown}" if len(steps) <= 10 else f"{len(steps)} steps, last {shown}"


def _print_text(found: problem.Problem) -> None:
    say(heading(f"problem {found.problem_id}"))
    say(
        f"domain {shown_line(found.domain) or UNKNOWN}, "
        f"category {shown_line(found.category) or UNKNOWN}, "
        f"pass rate before the run {shown_share(found.prior_pass_rate)}"
    )
    if found.missing:
        say(f"Its text is not in the run folder. {found.missing}")
        return
    for role, text in found.messages:
        say("")
        say(f"[{shown_line(role)}]")
        say(text)
    say("")
    if found.images:
        names = ", ".join(str(image.get("name", UNKNOWN)) for image in found.images)
        say(f"pictures: {shown_line(names)} (rlcs dashboard shows them)")
    reference = found.reference
    if not isinstance(reference, str):
        reference = json.dumps(reference, ensure_ascii=False)
    say(f"reference: {reference}")


def _print_draws(draws: list[dict[str, Any]]) -> None:
    say("")
    if not draws:
        say("It was never drawn.")
        return
    rows = [
        [
            str(draw["step"]),
            str(draw["tier"]),
            UNKNOWN if draw["draw_probability"] is None else f"{draw['draw_probability']:.4f}",
            *(count(draw[name]) for name in ("passes", "attempts", "errors", "tokens")),
            str(draw["fate"]),
        ]
        for draw in draws[-MOST_DRAWS:]
    ]
    table(COLUMNS, rows)
    if len(draws) > MOST_DRAWS:
        say(f"(the last {MOST_DRAWS} of {len(draws)} draws)")
