"""``rlcs dashboard``: the web page over run folders."""

from __future__ import annotations

import argparse
from pathlib import Path

from rewards.shown import shown
from rlcs.cli.arguments import Verbs, add_verb, check_packages
from rlcs.errors import ConfigError

PORT = 8050


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "dashboard",
        run,
        "show runs, running or finished, on a web page of this machine",
        [
            "rlcs dashboard",
            "rlcs dashboard runs/quickstart --port 8051",
            "rlcs dashboard runs --pictures data",
            "rlcs dashboard runs/quickstart --export quickstart.html",
            'rlcs dashboard --address 0.0.0.0 --token "$(openssl rand -hex 16)"',
        ],
    )
    parser.add_argument(
        "runs",
        nargs="?",
        default="runs",
        metavar="RUNS",
        help="a folder with runs, or one run folder (default: runs)",
    )
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"default {PORT}; 0 takes a free one"
    )
    parser.add_argument(
        "--address",
        default="127.0.0.1",
        help="where to listen (default 127.0.0.1: this machine alone); another one needs --token",
    )
    parser.add_argument("--token", help="what a browser must know to see the page")
    parser.add_argument(
        "--pictures",
        action="append",
        default=[],
        metavar="FOLDER",
        help="a folder with the pictures of the runs' problems, may be repeated; pictures from "
        "elsewhere are not shown",
    )
    parser.add_argument(
        "--export", metavar="FILE.html", help="write one self-contained page instead of serving"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the page, or write it; returns the exit status."""
    check_packages("the dashboard", "dash", "dash_ag_grid", "duckdb")
    from rlcs.dashboard.safety import check_address

    check_address(arguments.address, arguments.token)
    if not 0 <= arguments.port < 65536:
        raise ConfigError(f"--port: expected 0 to 65535, found {arguments.port}.")
    runs = Path(arguments.runs)
    if arguments.export is not None:
        from rlcs.dashboard.export import export

        export(runs, Path(arguments.export))
        print(shown(f"{runs} -> {arguments.export}"))
        return 0
    from rlcs.dashboard.app import serve

    serve(
        runs,
        address=arguments.address,
        port=arguments.port,
        token=arguments.token,
        picture_folders=[Path(folder) for folder in arguments.pictures],
    )
    return 0
