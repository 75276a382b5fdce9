"""``python -m rewards check CASES.jsonl``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rewards.check.command import add_arguments, run_check


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line (the process's own by default) and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rewards", description="Check verifiers.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="judge a file of cases")
    add_arguments(check)
    return run_check(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
