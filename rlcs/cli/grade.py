"""``rlcs grade``: offline difficulty."""

from __future__ import annotations

import argparse

from rlcs.cli.arguments import Verbs, add_config, add_verb, print_schema, read_config


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "grade",
        run,
        "offline difficulty: ask models every problem k times; the same command goes on",
        [
            "rlcs grade configs/quickstart_grade.yaml",
            "rlcs grade my-grading.yaml grade.attempts=16 data.train.0.limit=1000",
            "rlcs grade --schema > grade.schema.json",
            "rlcs train my-run.yaml data.difficulty.path=runs/grade/difficulty.parquet",
        ],
    )
    add_config(parser, schema=True)


def run(arguments: argparse.Namespace) -> int:
    """Grade what is not graded yet; returns the exit status."""
    from rlcs.config import GradeConfig

    if arguments.schema:
        return print_schema(GradeConfig)
    config = read_config(arguments, GradeConfig)
    from rlcs.grading.grade import grade

    return grade(config)
