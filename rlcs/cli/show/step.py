"""What was sampled in a step: every completion with its verdict, as text safe for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa

from rewards.shown import shown_line
from rlcs.cli.terminal import UNKNOWN, count, heading, say
from rlcs.errors import RunFolderError, sentence
from rlcs.insight import Run
from rlcs.insight.completions import read_file, steps_kept


def show_step(run: Run, step: int) -> None:
    """Print the completions of ``step``, problem by problem.

    Raises:
        RunFolderError: there are none, or their file cannot be read.
    """
    rows = completions_of(run, step)
    print_completions(rows)
    say("")
    say(f"{len(rows)} completions of step {step}")


def completions_of(run: Run, step: int, problem_id: str | None = None) -> list[dict[str, Any]]:
    """The rows of the step's file, of one problem alone where it is named.

    Raises:
        RunFolderError: there is none, or it cannot be read.
    """
    steps = steps_kept(run.folder)
    if step not in steps:
        kept = f"those of steps {steps[0]} to {steps[-1]}" if steps else "none"
        raise RunFolderError(f"expected the completions of step {step}, found {kept}.")
    try:
        return read_file(run.folder, step, problem_id=problem_id).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunFolderError(
            f"the completions of step {step} cannot be read: {sentence(str(error))}"
        ) from error


def print_completions(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print completions that stand together by problem."""
    for name, group in groupby(rows, key=lambda row: row["problem_id"]):
        own = list(group)
        passed = sum(bool(row["passed"]) for row in own)
        say(heading(f"problem {name}: {passed} of {len(own)} passed"))
        for row in own:
            _print(row)


def _print(row: Mapping[str, Any]) -> None:
    facts = [
        f"completion {count(row['index'])}: {row['outcome'] or UNKNOWN}",
        f"reward {count(row['reward'])}",
        f"{count(row['completion_tokens'])} tokens",
        f"ended by {row['finish_reason'] or UNKNOWN}",
    ]
    facts += [f"answer {row['extracted']}"] if row["extracted"] else []
    facts += [row["detail"]] if row["detail"] else []
    say("")
    say(f"[{shown_line(' · '.join(facts))}]")
    say(row["text"] or "(no text)")
