"""The steps of a training run: a live table, or plain lines without a terminal."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

from rlcs.run.screen import Screen, shown_duration

SHOWN_STEPS = 12
COLUMNS = ("step", "pass rate", "valid", "expansion", "tiers", "loss", "grad", "tokens/s", "left")


class Progress(Screen):
    """Shows the rows of a training run as they come, and what is being done until the next one."""

    def __init__(
        self, *, num_steps: int, steps_done: int = 0, console: Console | None = None
    ) -> None:
        self.num_steps = num_steps
        self._first_step = steps_done
        self._started = time.perf_counter()
        self._rows: list[list[str]] = []
        super().__init__(console=console)

    def begin_after(self, step: int) -> None:
        """Estimate the time left from the rows after that of ``step``, which begin now."""
        self._first_step = step
        self._started = time.perf_counter()

    def show_step(self, row: dict[str, Any]) -> None:
        """Show a row of ``steps.jsonl``."""
        cells = self._cells(row)
        if skipped := row["learner"].get("num_skipped"):
            self.say(f"step {row['step']}: {skipped} updates skipped, their gradient is not finite")
        if self.console.is_terminal:
            self._rows = [*self._rows, cells][-SHOWN_STEPS:]
            self._live.refresh()
        else:
            self.say("  ".join(f"{name} {cell}" for name, cell in zip(COLUMNS, cells, strict=True)))

    def above(self) -> RenderableType | None:
        """The table of the last steps, once there is one."""
        if not self._rows:
            return None
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
            shown_share(row["pass_rate"]),
            shown_share(numbers.get("valid_rate")),
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


def tier_shares(numbers: dict[str, float]) -> str:
    """The share of problems in each tier in per cent, from the easiest on: ``12|30|40|10|8``."""
    occupancy = [value for name, value in numbers.items() if name.startswith("tier/")]
    total = sum(occupancy)
    return "|".join(f"{100 * value / total:.0f}" for value in occupancy) if total else "-"


def shown_share(share: float | None) -> str:
    """A share in [0, 1] in per cent; a dash where none is known."""
    return "-" if share is None else f"{100 * share:.1f}%"
