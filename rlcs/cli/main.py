"""``rlcs VERB …``: reads the command line and calls the verb.

A mistake of the user's ends with one message on standard error and exit status 2; a traceback
means a bug of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rewards.shown import shown
from rlcs import __version__
from rlcs.cli import (
    check,
    dashboard,
    doctor,
    eval,
    export,
    grade,
    runs,
    serve,
    sft,
    show,
    simulate,
    submit,
    train,
)
from rlcs.cli.arguments import is_override
from rlcs.errors import RlcsError
from rlcs.files import naming_disks
from rlcs.quiet import quieten

USER_ERROR = 2

VERBS = (
    train,
    dashboard,
    runs,
    show,
    sft,
    grade,
    eval,
    check,
    simulate,
    export,
    doctor,
    submit,
    serve,
)
"""The modules of the verbs, in the order of ``rlcs --help``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse hands out positional arguments once: overrides after an option are left over.
    if rest and (not hasattr(arguments, "overrides") or not all(map(is_override, rest))):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.overrides += rest
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    sys.path.append(os.getcwd())  # where a user's own verifier lies, as with `python -m`
    quieten()
    _use_token()
    try:
        with naming_disks():
            status = verb(arguments)
            sys.stdout.flush()  # while an error of it can still be told
        return status
    except RlcsError as error:
        print(f"rlcs: error: {shown(str(error))}", file=sys.stderr)
        _drop_what_cannot_be_printed()
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
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def _drop_what_cannot_be_printed() -> None:
    """Python itself would try to print it again at its end, and have a traceback for an answer."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _use_token() -> None:
    """Have Ray send its token where there is one, as a cluster that is started there asks for it.

    Ray settles this when it is first imported. RAY_AUTH_MODE, where it is set, decides.
    """
    if "ray" in sys.modules:
        return
    own = os.path.join(os.path.expanduser("~"), ".ray", "auth_token")
    if os.path.exists(own) and "HOME" not in os.environ:  # where alone Ray looks for it
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", own)
    if os.path.exists(own) or {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
