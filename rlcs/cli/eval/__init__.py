"""``rlcs eval``: held-out accuracy, and accuracy on benchmarks by name."""

from __future__ import annotations

import argparse
from pathlib import Path

from rlcs.cli.arguments import Verbs, add_config, add_verb, is_override, read_config
from rlcs.errors import ConfigError


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "eval",
        run,
        "accuracy and pass@k, on held-out problems or on benchmarks by name",
        [
            "rlcs eval configs/quickstart.yaml --model runs/quickstart",
            "rlcs eval configs/gsm8k.yaml --model MODEL_FOLDER --json accuracy.json",
            "rlcs eval --benchmark gsm8k math500 --model MODEL_FOLDER rollout.engine=vllm",
            "rlcs eval --benchmark mmstar --data FOLDER --endpoint http://127.0.0.1:8000/v1 "
            "--model NAME",
        ],
    )
    add_config(parser, optional=True)
    parser.add_argument(
        "--model", metavar="PATH", help="a model folder, a checkpoint or a run; an endpoint's name"
    )
    parser.add_argument("--json", metavar="FILE", help="also write the numbers here; - prints them")
    parser.add_argument(
        "--benchmark", nargs="+", metavar="NAME", help="benchmarks (see rlcs/docs/benchmarks.md)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="benchmarks' files, in place of the hub"
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="ask this OpenAI-compatible server, not an engine of ours"
    )
    parser.add_argument(
        "--space",
        default="norm1000",
        choices=("norm1000", "norm999", "norm1", "pixel"),
        help="coordinates that are asked for where a benchmark wants points or boxes",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="use a benchmark's first N rows")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where completions go (run.folder, else runs)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the table; returns the exit status."""
    named: list[str] = []
    given = [arguments.config, *arguments.overrides]
    for each in arguments.benchmark or ():  # overrides behind --benchmark are taken for names
        (given if is_override(each) else named).append(each)
    overrides = [each for each in given if each is not None and is_override(each)]
    arguments.overrides = overrides
    if arguments.config is not None and is_override(arguments.config):
        arguments.config = None
    if named or arguments.endpoint:
        return _ask(arguments, named)
    if only := [name for name in ("data", "limit") if getattr(arguments, name) is not None]:
        raise ConfigError(f"--{only[0]} is for benchmarks; expected --benchmark NAME with it.")
    from rlcs.config import RunConfig

    config = read_config(arguments, RunConfig)
    from rlcs.cli.eval.examination import examine

    return examine(config, model=arguments.model, json_path=arguments.json, out=arguments.out)


def _ask(arguments: argparse.Namespace, named: list[str]) -> int:
    """Evaluate on benchmarks, or ask an endpoint what a configuration holds out."""
    from rlcs.cli.eval.benchmarks import HELDOUT, Wanted, evaluate_all
    from rlcs.cli.eval.examination import check_json, write_json

    if not named and arguments.config is None:
        raise ConfigError(
            "expected a config file whose held-out problems are asked, or --benchmark NAME; found "
            "neither."
        )
    check_json(arguments.json)
    status, results = evaluate_all(
        Wanted(
            benchmarks=named or [HELDOUT],
            model=arguments.model,
            endpoint=arguments.endpoint,
            data=arguments.data,
            space=arguments.space,
            limit=arguments.limit,
            out=arguments.out,
            overrides=arguments.overrides,
            config=arguments.config,
            trust_code=arguments.trust_code,
        )
    )
    if not status:
        write_json({result.name: result.as_json() for result in results}, arguments.json)
    return status
