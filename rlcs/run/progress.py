"""What is shown while a run goes on: a live table, or plain lines without a terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from rewards.shown import shown

SHOWN_STEPS = 12
COLUMNS = ("step", "pass rate", "valid", "expansion", "tiers", "loss", "grad", "tokens/s", "left")


class Progress:
    """Shows the rows of a run as they come; use it as a context."""

    def __init__(
        self, *, num_steps: int, steps_done: int = 0, console: Console | None = None
    ) -> None:
        self.console = console or Console()
        self.num_steps = num_steps
        self._first_step = steps_done
        self._started = time.perf_counter()
        self._rows: list[list[str]] = []
        self._live = Live(console=self.console, auto_refresh=False, transient=False)

    def __enter__(self) -> Progress:
        self._started = time.perf_counter()  # what came before is not part of a step
        if self.console.is_terminal:
            self._live.start()
        return self

    def begin_after(self, step: int) -> None:
        """Estimate the time left from the rows after that of ``step``."""
        self._first_step = step

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print one line of plain text, above the table."""
        self.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)

    def show_step(self, row: dict[str, Any]) -> None:
        """Show a row of ``steps.jsonl``."""
        cells = self._cells(row)
        if skipped := row["learner"].get("num_skipped"):
            self.say(f"step {row['step']}: {skipped} updates skipped, their gradient is not finite")
        if self.console.is_terminal:
            self._rows = [*self._rows, cells][-SHOWN_STEPS:]
            self._live.update(self._table(), refresh=True)
        else:
            self.say("  ".join(f"{name} {cell}" for name, cell in zip(COLUMNS, cells, strict=True)))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in COLUMNS:
            table.add_column(name, justify="left" if name == "tiers" else "right")
        for cells in self._rows:
            table.add_row(*cells)
        return table

    def _cells(self, row: dict[str, Any]) -> list[str]:
        numbers, learner = row["curriculum"], row["learner"]
        return [
            f"{row['step']}/{self.num_steps}",
            _percent(row["pass_rate"]),
            _percent(numbers.get("valid_rate")),
            f"{numbers.get('expansion_ratio', 1.0):.2f}",
            tier_shares(numbers),
            f"{learner['loss']:+.4f}" if "loss" in learner else "-",
            f"{learner['grad_norm']:.2f}" if "loss" in learner else "-",
            f"{row['tokens_per_second']:,.0f}",
            self._time_left(row["step"]),
        ]

    def _time_left(self, step: int) -> str:
        done = step - self._first_step
        left = (time.perf_counter() - self._started) / max(1, done) * (self.num_steps - step)
        return shown_duration(left)


def shown_duration(duration_seconds: float) -> str:
    """A duration as ``4:05``, or as ``1:04:05`` from an hour on."""
    minutes, seconds = divmod(round(duration_seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def tier_shares(numbers: dict[str, float]) -> str:
    """The share of problems in each tier in per cent, from the easiest on: ``12|30|40|10|8``."""
    occupancy = [value for name, value in numbers.items() if name.startswith("tier/")]
    total = sum(occupancy)
    return "|".join(f"{100 * value / total:.0f}" for value in occupancy) if total else "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"
