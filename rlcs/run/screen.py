"""The terminal of a long command: its lines, and what it is doing while none comes.

On a terminal a live line at the end says what is being done and for how long. Elsewhere, such as in
a file, the same comes as a plain line, and only where nothing was said for :data:`QUIET_SECONDS`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from rewards.shown import shown, shown_line
from rlcs.activity import Activity, listening

QUIET_SECONDS = 30.0
"""Without a terminal: the least time between any line and one about what is being done."""
LOOKS_PER_SECOND = 2


class Screen:
    """Says and shows what a command does; use it as a context."""

    def __init__(
        self, *, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` is that of the activities: the monotonic one."""
        self.console = console or Console()
        self._clock = clock
        self._activities: tuple[Activity, ...] = ()
        self._said_at = clock()
        self._told = ""
        self._saying = threading.RLock()
        self._ended = threading.Event()
        self._context = ExitStack()
        self._live = Live(
            console=self.console,
            get_renderable=self._renderable,
            refresh_per_second=LOOKS_PER_SECOND,
        )

    def __enter__(self) -> Self:
        self._context.enter_context(listening(self.show))
        if self.console.is_terminal:
            self._live.start()
        else:
            threading.Thread(target=self._keep_looking, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._context.close()
        self._ended.set()
        self._activities = ()
        if self.console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print one line of plain text, above what is live."""
        with self._saying:
            self.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)
            self._said_at, self._told = self._clock(), ""

    def show(self, activities: tuple[Activity, ...]) -> None:
        """Take note of all that is being done now."""
        self._activities = activities

    def look(self) -> None:
        """Without a terminal: say what is being done, where it is time to, and it is something new.

        Called again and again.
        """
        with self._saying:
            told = in_words(self._activities)
            quiet = self._clock() - self._said_at >= QUIET_SECONDS
            if quiet and told and told != self._told:
                self.say(f"… {told} ({self._shown_age()})")
                self._told = told

    def above(self) -> RenderableType | None:
        """What is live above the line, if anything."""
        return None

    def _keep_looking(self) -> None:
        while not self._ended.wait(1 / LOOKS_PER_SECOND):
            self.look()

    def _renderable(self) -> RenderableType:
        parts = [] if (above := self.above()) is None else [above]
        if told := in_words(self._activities):
            line = f"… {told} ({self._shown_age()})"
            parts.append(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)

    def _shown_age(self) -> str:
        """How long the newest of the activities has gone on."""
        activities = self._activities
        return shown_duration(self._clock() - activities[-1].since if activities else 0.0)


def in_words(activities: tuple[Activity, ...]) -> str:
    """All activities in one line."""
    return shown_line(" · ".join(activity.text for activity in activities))


def shown_duration(duration_seconds: float) -> str:
    """A duration as ``4:05``, or as ``1:04:05`` from an hour on."""
    minutes, seconds = divmod(round(duration_seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
