"""``rlcs runs``: the runs of a folder as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rlcs.cli.arguments import Verbs, add_verb, check_packages

if TYPE_CHECKING:
    from rlcs.insight import RunEntry, Runs

COLUMNS = {
    "run": "left",
    "state": "left",
    "step": "right",
    "pass rate": "right",
    "valid": "right",
    "held-out": "right",
    "gain": "right",
    "completions": "right",
    "tokens/s": "right",
    "time": "right",
    "alarms": "left",
}


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "runs",
        run,
        "list runs, running or finished: how far they are, whether they learn, what is broken",
        ["rlcs runs /shared/runs", "rlcs runs"],
    )
    parser.add_argument(
        "runs", nargs="?", default="runs", metavar="RUNS", help="a folder with runs (default: runs)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the table; returns the exit status."""
    check_packages("rlcs runs", "duckdb")
    from rlcs.cli.terminal import say, table
    from rlcs.insight import Runs

    runs = Runs(Path(arguments.runs))
    try:
        entries = runs.entries()
        if not entries:
            say(
                f"There is no run in {arguments.runs} yet. "
                "Start one, for example: rlcs train configs/quickstart.yaml"
            )
            return 0
        table(COLUMNS, [_row(runs, entry) for entry in entries])
    finally:
        runs.close()
    say("")
    say("one of them: rlcs show RUN     all of them on a web page: rlcs dashboard")
    return 0


def _row(runs: Runs, entry: RunEntry) -> list[str]:
    """The cells of one run; of one that cannot be read, why."""
    from rlcs.cli.terminal import UNKNOWN, count
    from rlcs.errors import RunFolderError
    from rlcs.insight import overview
    from rlcs.insight.alarms import alarms
    from rlcs.run.progress import shown_share
    from rlcs.run.screen import shown_duration

    unknown = [UNKNOWN] * (len(COLUMNS) - 3)
    if entry.state == "refused":
        return [entry.name, entry.state, *unknown, entry.note]
    try:
        found = runs.run(entry.name)
        found.reader.read_steps()
    except (RunFolderError, OSError) as error:
        return [entry.name, "refused", *unknown, str(error)]
    row = overview.headline(found)
    planned = f"/{row['num_steps']}" if isinstance(row["num_steps"], int) else ""
    gain = row["gain"]
    raised = ", ".join(dict.fromkeys(each.kind for each in alarms(found) if each.active))
    return [
        entry.name,
        entry.state,
        f"{row['steps']}{planned}",
        shown_share(row["pass_rate"]),
        shown_share(row["valid"]),
        shown_share(row["heldout"]),
        UNKNOWN if gain is None else f"{100 * gain:+.1f}",
        count(row["completions"]),
        count(row["tokens_per_second"]),
        UNKNOWN if row["hours"] is None else shown_duration(3600 * row["hours"]),
        raised or UNKNOWN,
    ]
