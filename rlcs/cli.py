"""The command line: what can be said, with an example for each verb.

The verbs are in ``rlcs.verbs``; heavy imports happen inside of them, so that ``rlcs --help``
answers at once. A mistake of the user's ends with one message on standard error and exit
status 2; a traceback means a bug of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rlcs import __version__
from rlcs.errors import RlcsError
from rlcs.verbs import (
    is_override,
    run_check,
    run_doctor,
    run_eval,
    run_export,
    run_grade,
    run_serve,
    run_sft,
    run_simulate,
    run_submit,
    run_train,
)

USER_ERROR = 2

Verb = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse hands out positional arguments once: overrides after an option are left over.
    if rest and (not hasattr(arguments, "overrides") or not all(map(is_override, rest))):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.overrides += rest
    verb: Verb = arguments.verb
    sys.path.append(os.getcwd())  # where a user's own verifier lies, as with `python -m`
    _quieten()
    _use_token()
    try:
        return verb(arguments)
    except RlcsError as error:
        print(f"rlcs: error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("rlcs: interrupted", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="rlcs",
        description="Reinforcement learning with verifiable rewards and curriculum sampling.",
        epilog="Each verb has its own --help with an example.",
    )
    parser.add_argument("--version", action="version", version=f"rlcs {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_train(verbs)
    _add_sft(verbs)
    _add_grade(verbs)
    _add_eval(verbs)
    _add_check(verbs)
    _add_simulate(verbs)
    _add_export(verbs)
    _add_doctor(verbs)
    _add_submit(verbs)
    _add_serve(verbs)
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Verb,
    summary: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=run)
    return parser


def _add_config(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("config", nargs=None if required else "?", help="a YAML file")
    parser.add_argument(
        "overrides", nargs="*", metavar="key.path=value", help="values that replace the file's"
    )


def _add_train(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "train",
        run_train,
        "train a model by reinforcement learning",
        [
            "rlcs train configs/quickstart.yaml",
            "rlcs train configs/gsm8k.yaml run.name=second learner.learning_rate=2e-6",
            "rlcs train --resume runs/second",
            "rlcs train --resume runs/second run.num_steps=200",
            "rlcs train --resume runs/second --reconcile   # after the data was changed",
            "rlcs train --schema > train.schema.json",
        ],
    )
    _add_config(parser, required=False)
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")
    parser.add_argument(
        "--reconcile",
        action="store_true",
        help="with --resume: the data has changed; what is known of a problem goes on by its id",
    )
    parser.add_argument("--schema", action="store_true", help="print the config's JSON schema")


def _add_sft(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "sft",
        run_sft,
        "the cold start: teach the form of a response by demonstrations",
        ["rlcs sft configs/gsm8k_sft.yaml", "rlcs sft --schema > sft.schema.json"],
    )
    _add_config(parser, required=False)
    parser.add_argument("--schema", action="store_true", help="print the config's JSON schema")


def _add_grade(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "grade",
        run_grade,
        "offline difficulty: ask models every problem k times; the same command goes on",
        [
            "rlcs grade configs/quickstart_grade.yaml",
            "rlcs grade my-grading.yaml grade.attempts=16 data.train.0.limit=1000",
            "rlcs grade --schema > grade.schema.json",
            "rlcs train my-run.yaml data.difficulty.path=runs/grade/difficulty.parquet",
        ],
    )
    _add_config(parser, required=False)
    parser.add_argument("--schema", action="store_true", help="print the config's JSON schema")


def _add_eval(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "eval",
        run_eval,
        "held-out accuracy and pass@k by domain and category",
        [
            "rlcs eval configs/quickstart.yaml --model runs/quickstart",
            "rlcs eval configs/gsm8k.yaml --model MODEL_FOLDER --json accuracy.json",
        ],
    )
    _add_config(parser)
    parser.add_argument("--model", metavar="PATH", help="a model folder, a checkpoint or a run")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers here; - prints them")


def _add_check(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from rewards.check.command import add_arguments

    parser = _verb(
        verbs,
        "check",
        run_check,
        "judge a file of cases and audit its verifiers, before a GPU starts",
        [
            "rlcs check cases.jsonl",
            "rlcs check problems.jsonl --gold --reformat --perturb --probe --domain math",
            "rlcs check configs/gsm8k.yaml --gold --probe",
        ],
    )
    add_arguments(parser)


def _add_simulate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "simulate",
        run_simulate,
        "other curricula over a logged run, or over a simulated learner",
        [
            "rlcs simulate --seeds 5",
            "rlcs simulate --world num_problems=1000000 graded=1 --seeds 3 --plot learner.png",
            'rlcs simulate --sampler uniform --sampler "rlcs carry_over=true sharpness=2"',
            "rlcs simulate runs/quickstart --json what_if.json --plot what_if.png",
            "rlcs simulate runs/quickstart/log/groups.jsonl --sampler posterior",
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
        "(default: uniform, dapo, rlcs, posterior)",
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
    parser.add_argument("--plot", metavar="FILE.png", help="draw it here (needs rlcs[plots])")


def _add_export(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "export",
        run_export,
        "copy a run's best (or last) model to a Hugging Face model folder",
        ["rlcs export runs/quickstart my-model"],
    )
    parser.add_argument("run", metavar="RUN", help="a run folder or a checkpoint")
    parser.add_argument("out", metavar="OUT", help="the folder to write; must not exist")


def _add_doctor(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "doctor",
        run_doctor,
        "look a run over before it starts: batch, memory, placement, packages, data",
        [
            "rlcs doctor configs/quickstart.yaml",
            "rlcs doctor configs/gsm8k.yaml hardware.ray_address=10.0.0.1:6379",
        ],
    )
    _add_config(parser)


def _add_submit(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "submit",
        run_submit,
        "run it as a job of a Ray cluster, and follow it from here",
        [
            "rlcs submit my-run.yaml --address http://10.0.0.1:8265 run.folder=/shared/runs",
            "rlcs submit my-run.yaml --address http://10.0.0.1:8265 --requirements more.txt "
            "--env WANDB_API_KEY=KEY",
        ],
    )
    _add_config(parser)
    parser.add_argument("--address", required=True, help="the cluster's dashboard")
    parser.add_argument("--requirements", metavar="FILE", help="packages the job needs besides")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--no-follow", action="store_true", help="submit it and return")


def _add_serve(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "serve",
        run_serve,
        "answer by vLLM's OpenAI-compatible server with a run's best (or last) model",
        [
            "rlcs serve runs/quickstart",
            "rlcs serve my-model --port 9000 --option max-model-len=4096",
            "curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' "
            '-d \'{"model": "quickstart", "messages": [{"role": "user", "content": "1 + 2?"}]}\'',
        ],
    )
    parser.add_argument("model", metavar="RUN", help="a run folder, a checkpoint or a model folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="an option of vLLM's server, without its dashes; may be given several times",
    )


def _quieten() -> None:
    """Keep other packages' chatter out of the table; an explicit setting of the user's wins."""
    for name, value in (
        ("TRANSFORMERS_VERBOSITY", "error"),
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
        ("HF_DATASETS_DISABLE_PROGRESS_BARS", "1"),
        ("DS_LOG_LEVEL", "error"),
        ("TOKENIZERS_PARALLELISM", "false"),
    ):
        os.environ.setdefault(name, value)


def _use_token() -> None:
    """Have Ray send its token where there is one, as a cluster that is started there asks for it.

    Ray settles this when it is first imported. RAY_AUTH_MODE, where it is set, decides.
    """
    if "ray" in sys.modules:
        return
    own = os.path.join(os.path.expanduser("~"), ".ray", "auth_token")
    if os.path.exists(own) or {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


if __name__ == "__main__":
    sys.exit(main())
