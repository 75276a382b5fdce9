"""What the verbs that look at runs print: every text of a run by the rule of :mod:`rewards.shown`.

Nothing of a run is taken for Rich's markup or for an order to the terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rewards.shown import shown, shown_line

UNKNOWN = "-"
FILE_WIDTH = 400
"""Signs a line of a table has where it is no terminal that it goes to: nothing is cut there."""


def say(text: str) -> None:
    """Print a text of any number of lines; control characters are shown and not sent."""
    print(shown(text))


def table(columns: Mapping[str, str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under the titles ``columns``, whose values are ``left`` or ``right``."""
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title, side in columns.items():
        made.add_column(Text(title), justify="right" if side == "right" else "left")
    for row in rows:
        made.add_row(*(Text(shown_line(cell)) for cell in row))
    console.print(made)


def count(value: float | None) -> str:
    """A number as a table of the terminal has it: whole with commas, or three digits."""
    if value is None or value != value:
        return UNKNOWN
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def heading(text: str) -> str:
    """A line above what belongs together, as wide as a terminal usually is."""
    line = shown_line(text)
    return f"── {line} {'─' * max(0, 76 - len(line))}"


def stop_printing() -> None:
    """Have nothing more printed: whoever read it, such as ``head``, has closed it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
