"""``rlcs simulate``: other curricula over a logged run, or over a simulated learner."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import Verbs, add_verb


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "simulate",
        run,
        "other curricula over a logged run, or over a simulated learner",
        [
            "rlcs simulate --seeds 5",
            "rlcs simulate --world num_problems=1000000 graded=1 --seeds 3 --plot learner.png",
            'rlcs simulate --sampler uniform --sampler "rlcs carry_over=true sharpness=2"',
            "rlcs simulate runs/quickstart --json what_if.json --plot what_if.png",
            "rlcs simulate runs/quickstart/log/groups.jsonl --sampler posterior",
            "rlcs simulate --forecast configs/gsm8k.yaml",
        ],
    )
    parser.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run folder or its groups.jsonl; without it, a learner is simulated",
    )
    parser.add_argument(
        "--sampler",
        action="append",
        metavar='"KIND name=value ..."',
        help="a curriculum to compare, may be repeated; the first is the baseline "
        "(default: uniform, dapo, rlcs, posterior, frontier)",
    )
    parser.add_argument(
        "--world",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="of the simulated learner: num_problems, num_categories, num_domains, "
        "easiest_category, hardest_category, spread, graded, learning, transfer, forgetting, "
        "memorising",
    )
    parser.add_argument(
        "--forecast",
        metavar="CONFIG",
        help="say what choosing is expected to save in this run, from its problems' offline "
        "grades, or from the first steps of RUN where one is named",
    )
    parser.add_argument("--seeds", type=int, default=5, help="simulated runs of each (default 5)")
    parser.add_argument(
        "--completions", type=int, default=30_000, help="completions of each (default 30000)"
    )
    parser.add_argument("--groups", type=int, default=32, help="groups of a step (default 32)")
    parser.add_argument(
        "--group-size", type=int, help="completions of a problem (default 8, or the run's)"
    )
    parser.add_argument("--json", metavar="FILE", help="write everything here; - prints it")
    parser.add_argument("--csv", metavar="FILE", help="write the table here")
    parser.add_argument("--plot", metavar="FILE.png", help="plot it here (needs rlcs[plots])")


def run(arguments: argparse.Namespace) -> int:
    """Compare the curricula and print the table; returns the exit status."""
    from rlcs.cli.simulate.what_if import simulate

    return simulate(arguments)
