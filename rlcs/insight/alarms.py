"""Alarms of a run, worked out from its log by the rules by which the trainer raises them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rlcs.insight.overview import heldout
from rlcs.insight.run import Run
from rlcs.run.alarms import AlarmWatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Raised:
    """One alarm and how long its rule held."""

    step: int
    last_step: int
    kind: str
    text: str
    active: bool
    """Whether it held in the newest step."""


def alarms(run: Run) -> list[Raised]:
    """Every alarm of the run: those that hold first, then the newest first."""
    watch = AlarmWatch()
    measured = {each.step: each.accuracy for each in heldout(run)}
    begun: dict[str, tuple[int, str]] = {}
    ended: list[Raised] = []
    last = 0
    if 0 in measured:
        watch.evaluation(0, measured[0])
    for row in run.store.rows("SELECT step, row FROM steps ORDER BY step"):
        step = row["step"]
        watch.step(json.loads(row["row"]))
        if step in measured:
            watch.evaluation(step, measured[step])
        for kind in [kind for kind in begun if kind not in watch.active]:
            first, text = begun.pop(kind)
            ended.append(Raised(step=first, last_step=last, kind=kind, text=text, active=False))
        for kind, alarm in watch.active.items():
            begun.setdefault(kind, (alarm.step, alarm.text))
        last = step
    held = [
        Raised(step=first, last_step=last, kind=kind, text=text, active=True)
        for kind, (first, text) in begun.items()
    ]
    return held + sorted(ended, key=lambda alarm: -alarm.step)
