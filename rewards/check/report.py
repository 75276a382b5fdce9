"""The progress bar and the table a person reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rewards.shown import shown_line

_SHOWN = 20


class Progress:
    """Shows a bar over the lines of a file on standard error, when that is a terminal."""

    def __init__(self, path: Path, *, quiet: bool) -> None:
        self._bar: Any = None
        self._path = path
        self._shown = not quiet and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        if self._shown:
            from rich.console import Console
            from rich.progress import Progress as Bar

            with self._path.open("rb") as file:
                total = sum(1 for _ in file)
            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("checking", total=total)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, line: int) -> None:
        """Show that ``line`` is reached."""
        if self._bar is not None:
            self._bar.update(self._task, completed=line)


def _plain(text: str) -> str:
    """A text from the file or a verifier, as it is: without orders to rich or to a terminal."""
    from rich.markup import escape

    return escape(shown_line(text))


def print_report(summary: dict[str, Any]) -> None:
    """Print the table per domain, what disagrees, and broken lines."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    table = Table(title=_plain(summary["file"]))
    for name in ("domain", "check", "rows", "outcomes", "agree", "95 % interval", "FP", "FN"):
        table.add_column(name, overflow="fold")
    for name in ("p50 ms", "p99 ms", "max ms"):
        table.add_column(name, justify="right")
    for group in summary["groups"]:
        outcomes = ", ".join(f"{name} {count}" for name, count in group["outcomes"].items())
        share, interval = "-", "-"
        if group["with_expectation"]:
            low, high = group["agreement_interval_95"]
            share = f"{group['agreed']}/{group['with_expectation']}"
            interval = f"{100 * low:.1f} to {100 * high:.1f}"
        table.add_row(
            _plain(group["domain"]), group["check"], str(group["rows"]), outcomes, share, interval,
            str(group["false_positives"]), str(group["false_negatives"]),
            *(f"{1000 * group[key]:.2f}" for key in ("p50_seconds", "p99_seconds", "max_seconds")),
        )  # fmt: skip
    console.print(table)
    for row in summary["examples"]:
        note = f" ({row['note']})" if row["note"] else ""
        shown = str(row["extracted"])[:100]
        console.print(
            _plain(
                f"line {row['line']}, {row['check']}{note}: expected {row['expected']}, found "
                f"{row['outcome']} {row['score']:.3g}: {row['detail']} [{shown}]"
            )
        )
    if summary["disagreements"] > len(summary["examples"]):
        console.print(f"... {summary['disagreements']} in all; --out holds every row")
    for bad in summary["bad_references"][:_SHOWN]:
        console.print(_plain(f"line {bad['line']} has a bad reference: {bad['why']}"))
    for broken in summary["broken_lines"][:_SHOWN]:
        console.print(_plain(f"line {broken['line']} is no case: {broken['why']}"))
    for what in ("bad_references", "broken_lines"):
        if (number := summary[f"num_{what}"]) > _SHOWN:
            console.print(f"... {number} {what.replace('_', ' ')} in all")
    if summary["interrupted"]:
        console.print("interrupted; run again with the same --out to go on")
