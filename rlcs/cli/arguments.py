"""Arguments that several verbs have in common, and how they are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rlcs.errors import ConfigError, PackageMissingError

if TYPE_CHECKING:
    from pydantic import BaseModel

    ConfigT = TypeVar("ConfigT", bound=BaseModel)

Verbs = argparse._SubParsersAction
"""The collection to which each verb adds its parser."""


def add_verb(
    verbs: Verbs[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    """Add the parser of the verb ``name``; ``run`` does its work and returns the exit status."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=run, prog=parser.prog)
    return parser


def add_config(
    parser: argparse.ArgumentParser, *, schema: bool = False, optional: bool = False
) -> None:
    """Add a config file and overrides; with ``schema`` also ``--schema``, which needs no file.

    With ``optional`` the verb itself asks for the file where it needs one.
    """
    parser.add_argument("config", nargs="?" if schema or optional else None, help="a YAML file")
    parser.add_argument(
        "overrides", nargs="*", metavar="key.path=value", help="values that replace the file's"
    )
    add_trust(parser)
    if schema:
        parser.add_argument("--schema", action="store_true", help="print the config's JSON schema")


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust-code``."""
    parser.add_argument(
        "--trust-code",
        action="store_true",
        help="run code that a run folder's configuration (its verifiers, its options of vLLM) or "
        "a model folder names",
    )


def is_override(argument: str) -> bool:
    """Whether ``argument`` has the form of ``key.path=value``."""
    return "=" in argument and not argument.startswith("-")


def read_config(arguments: argparse.Namespace, kind: type[ConfigT]) -> ConfigT:
    """The configuration that ``arguments`` name.

    Raises:
        ConfigError: they name none, or it cannot be used.
        UntrustedCodeError: it is of a run folder and names code that nobody has allowed.
    """
    from rlcs.cli.trust import load_trusted

    if arguments.config is None:
        raise ConfigError(f"expected a config file; see {arguments.prog} --help.")
    return load_trusted(
        arguments.config, arguments.overrides, kind=kind, trust_code=arguments.trust_code
    )


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add ``--resume RUN``."""
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")


def read_resumable(
    arguments: argparse.Namespace, kind: type[ConfigT]
) -> tuple[ConfigT, Path | None]:
    """The configuration that ``arguments`` name, and the folder of the run that is to go on.

    With ``--resume`` the run's own configuration stands where no file is named.

    Raises:
        ConfigError: they name none, or it cannot be used.
        RunFolderError: there is no run to go on with, or its folder leads out of itself.
        UntrustedCodeError: it is of a run folder and names code that nobody has allowed.
    """
    if arguments.resume is None:
        return read_config(arguments, kind), None
    from rlcs.run.folder import find_run_config
    from rlcs.run.inside import check_inside

    resume = Path(arguments.resume)
    check_inside(resume)
    own = find_run_config(resume)
    if arguments.config is not None and is_override(arguments.config):
        arguments.config, arguments.overrides = None, [arguments.config, *arguments.overrides]
    arguments.config = arguments.config or own
    return read_config(arguments, kind), resume


def check_packages(what: str, *packages: str) -> None:
    """Check that the ``packages`` of the extra ``dashboard`` that ``what`` needs are installed.

    Raises:
        PackageMissingError: one is not.
    """
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise PackageMissingError(
                f"{what} needs {package}, which is not installed. Install it by "
                "pip install 'rlcs[dashboard]'."
            )


def print_schema(kind: type[BaseModel]) -> int:
    """Print the JSON schema of the configuration ``kind``; returns the exit status."""
    import json

    from rlcs.config import config_schema

    print(json.dumps(config_schema(kind), indent=2))
    return 0
