"""``rlcs show``: a run on one screen, one of its problems, or the completions of a step."""

from __future__ import annotations

import argparse
from pathlib import Path

from rlcs.cli.arguments import Verbs, add_verb, check_packages


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "show",
        run,
        "a run on one screen, one of its problems, or what was sampled in a step",
        [
            "rlcs show runs/quickstart",
            "rlcs show runs/quickstart --problem 3f0c2a9d1b7e5566",
            "rlcs show runs/quickstart --step 40 | less",
            "rlcs show runs/quickstart --step 40 --problem 3f0c2a9d1b7e5566",
        ],
    )
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--problem", metavar="ID", help="its text, its draws, and its completions in the last one"
    )
    parser.add_argument(
        "--step",
        type=int,
        metavar="N",
        help="the completions of this step; with --problem those of that problem alone",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; returns the exit status."""
    check_packages("rlcs show", "duckdb")
    from rlcs.cli.show.problem import show_problem
    from rlcs.cli.show.screen import show_run
    from rlcs.cli.show.step import show_step
    from rlcs.cli.terminal import stop_printing
    from rlcs.insight import only_run

    found = only_run(Path(arguments.run))
    try:
        if arguments.problem is not None:
            show_problem(found, arguments.problem, step=arguments.step)
        elif arguments.step is not None:
            show_step(found, arguments.step)
        else:
            show_run(found, arguments.run)
    except BrokenPipeError:
        stop_printing()
    finally:
        found.close()
    return 0
