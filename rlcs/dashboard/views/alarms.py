"""Alarms, as banners with the step and the evidence."""

from __future__ import annotations

from typing import Any

from dash import html

from rewards.shown import shown
from rlcs.dashboard import parts
from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context
from rlcs.dashboard.views.view import View
from rlcs.insight.alarms import Raised, alarms

MOST_BANNERS = 200


def build(context: Context, asked: Asked) -> Any:
    """Those that hold now, and those that are over."""
    assert asked.run is not None
    found = alarms(asked.run)
    active = [alarm for alarm in found if alarm.active]
    over = [alarm for alarm in found if not alarm.active]
    none = parts.empty(
        "No alarm holds.",
        "Watched are: reward against held-out, length, entropy, truncation, verifier errors, "
        "mismatch, skipped updates, steps without a trained group, stalls.",
    )
    earlier: list[Any] = [_banner(alarm) for alarm in over[:MOST_BANNERS]]
    note = f"The newest {MOST_BANNERS} of them." if len(over) > MOST_BANNERS else ""
    return [
        parts.card("Now", *([_banner(alarm) for alarm in active] or [none]), wide=True),
        *([parts.card(f"Earlier ({len(over)})", *earlier, note=note, wide=True)] if over else []),
    ]


def _banner(alarm: Raised) -> html.Div:
    until = "now" if alarm.active else f"step {alarm.last_step:,}"
    when = (
        f"in step {alarm.step:,}"
        if alarm.last_step == alarm.step
        else f"from step {alarm.step:,} to {until}"
    )
    return html.Div(
        [
            html.Strong(f"{alarm.kind[:1].upper()}{alarm.kind[1:]}, {when}"),
            html.P(shown(alarm.text)),
        ],
        className="banner" if alarm.active else "banner over",
        role="alert" if alarm.active else "note",
    )


VIEW = View(name="alarms", title="Alarms", build=build)
