"""What a view is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import Dash

from rlcs.dashboard.asked import Asked
from rlcs.dashboard.context import Context


def _nothing(context: Context, asked: Asked) -> list[Any]:
    return []


def _no_callbacks(app: Dash, context: Context) -> None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A page of the dashboard."""

    name: str
    """In the address: ``/overview``."""
    title: str
    build: Callable[[Context, Asked], Any]
    """Its content; called again when the run went on, where the view is ``live``."""
    controls: Callable[[Context, Asked], Any] = _nothing
    """What stands above the content and is kept when the run goes on."""
    register: Callable[[Dash, Context], None] = _no_callbacks
    """Its own callbacks."""
    live: bool = True
    in_menu: bool = True
