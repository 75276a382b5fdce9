"""How far a grading is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from rewards.shown import shown
from rlcs.run.screen import shown_duration

MOST_LINES = 50
"""Lines that a grading prints about its chunks where there is no terminal."""


class GradingProgress:
    """Counts chunks over all models; use it as a context while chunks are answered."""

    def __init__(
        self, *, num_chunks: int, chunks_done: int, console: Console | None = None
    ) -> None:
        self.console = console or Console()
        self._num_chunks = num_chunks
        self._done = self._done_before = chunks_done
        self._seconds = 0.0
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} chunks", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
            console=self.console,
        )
        self._task = self._bar.add_task("grading", total=num_chunks, completed=chunks_done, note="")

    def __enter__(self) -> GradingProgress:
        if self.console.is_terminal and self._done < self._num_chunks:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print one line of plain text."""
        self.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)

    def show_chunk(self, model: str, rows: Sequence[dict[str, Any]], seconds: float) -> None:
        """Count a chunk that was saved, and show how far the grading is.

        ``seconds`` is the time that the chunk took, without the start of the engines.
        """
        self._seconds += seconds
        counts = self._counts[model]
        counts[0] += sum(row["passed"] is True for row in rows)
        counts[1] += sum(row["passed"] is not None for row in rows)
        counts[2] += sum(row["passed"] is None for row in rows)
        self._done += 1
        passes, attempts, errors = counts
        note = f"pass rate {100 * passes / attempts:.1f}%" if attempts else "nothing judged"
        note += f"  errors {errors}" if errors else ""
        note += f"  left {shown_duration(self._seconds_left())}"
        if self.console.is_terminal:
            self._bar.update(self._task, description=model, completed=self._done, note=note)
        elif self._done % max(1, self._num_chunks // MOST_LINES) == 0 or self._is_last():
            self.say(f"{model}  chunk {self._done}/{self._num_chunks}  {note}")

    def _is_last(self) -> bool:
        return self._done == self._num_chunks

    def _seconds_left(self) -> float:
        each = self._seconds / (self._done - self._done_before)
        return each * (self._num_chunks - self._done)
