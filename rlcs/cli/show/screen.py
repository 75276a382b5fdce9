"""A run on one screen: how far it is, whether it learns, where its tokens went, what is broken."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.cli.terminal import UNKNOWN, count, say, table
from rlcs.insight import Run, overview, waste
from rlcs.insight.alarms import alarms
from rlcs.run.progress import shown_share
from rlcs.run.screen import shown_duration

READ_SECONDS = 5.0
"""What a look may take to read draws; of a larger run, what was read until then is shown."""
POINTS = 24
"""Signs of a line's course."""
MOST_ALARMS = 5
_BLOCKS = "▁▂▃▄▅▆▇█"
_SHARES = ("pass_rate", "reward", "curriculum/valid_rate", "truncated")
_LEFT_OUT = ("learner/grad_norm",)
"""Of the overview's numbers, to stay on one screen."""


def show_run(run: Run, named: str) -> None:
    """Print the screen of ``run``, which the user named ``named``."""
    run.reader.read_steps()
    _head(run)
    if run.store.value("SELECT count(*) FROM steps"):
        _course(run)
        more = run.reader.read(READ_SECONDS)
        _waste(run, more=more)
    _alarms(run)
    say("")
    last = run.store.value("SELECT max(step) FROM steps")
    if last is not None:
        say(f"completions: rlcs show {named} --step {last}")
    say(f"everything:  rlcs dashboard {named}")


def _head(run: Run) -> None:
    row = overview.headline(run)
    planned = f" of {row['num_steps']}" if isinstance(row["num_steps"], int) else ""
    say(f"{run.name}: {row['state']}, step {row['steps']}{planned}")
    if not row["steps"]:
        say("No step of this run is finished yet; the first one takes the longest.")
        return
    time = UNKNOWN if row["hours"] is None else shown_duration(3600 * row["hours"])
    say(
        f"{count(row['completions'])} completions, {count(row['tokens'])} tokens, "
        f"{time} in steps, {count(row['tokens_per_second'])} tokens/s lately"
    )
    for each in overview.heldout(run)[-3:]:
        say(
            f"held-out after step {each.step}: {shown_share(each.accuracy)} "
            f"({shown_share(each.low)} to {shown_share(each.high)}) "
            f"over {each.num_problems} problems"
        )
    say("")


def _course(run: Run) -> None:
    """A row a number of the overview: its first and last values and its course between."""
    lines = overview.lines(run, "step", points=POINTS)
    rows = []
    for name, title in overview.NAMES.items():
        values = lines.get(name)
        if values is None or name in _LEFT_OUT or not np.isfinite(values).any():
            continue
        known = values[np.isfinite(values)]
        shown = shown_share if name in _SHARES else count
        unit = overview.UNITS.get(name, "")
        rows.append([title, shown(float(known[0])), shown(float(known[-1])), spark(values), unit])
    columns = {"": "left", "first": "right", "last": "right", "course": "left", "unit": "left"}
    table(columns, rows)


def spark(values: np.ndarray) -> str:
    """[P] numbers as one sign each, from the least to the greatest; a space where none is known."""
    known = np.isfinite(values)
    low, high = values[known].min(), values[known].max()
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((value - low) * scale)] if there else " "
        for value, there in zip(values, known, strict=True)
    )


def _waste(run: Run, *, more: bool) -> None:
    rows: list[dict[str, Any]] = waste.ledger(run)
    if not rows:
        return
    say("")
    table(
        {"draws": "left", "groups": "right", "tokens": "right", "share of tokens": "right"},
        [
            [row["reason"], count(row["groups"]), count(row["tokens"]), shown_share(row["share"])]
            for row in rows
        ],
    )
    if more:
        say("(of what could be read in a moment; look again for the rest)")


def _alarms(run: Run) -> None:
    found = alarms(run)
    held = [each for each in found if each.active]
    say("")
    if not found:
        say("no alarms")
        return
    say(f"alarms: {len(held)} in the newest step, {len(found) - len(held)} before")
    for each in found[:MOST_ALARMS]:
        say(f"  since step {each.step}: {each.kind}. {each.text}" if each.active else
            f"  steps {each.step} to {each.last_step}: {each.kind}. {each.text}")  # fmt: skip
    if len(found) > MOST_ALARMS:
        say(f"  and {len(found) - MOST_ALARMS} more, in rlcs dashboard")
