"""The application: its frame, views, pictures and guards; and how it is served."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from pathlib import Path

from dash import Dash

from rlcs.dashboard import page, pictures
from rlcs.dashboard.context import Context
from rlcs.dashboard.safety import guard, is_loopback
from rlcs.errors import ConfigError
from rlcs.insight import Runs


def make_app(context: Context, *, token: str | None = None, local: bool = True) -> Dash:
    """The application over the runs of ``context``; it is served by its ``server``."""
    app = Dash(
        "rlcs.dashboard",
        title="RLCS",
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">')
    app.layout = page.layout()
    page.register(app, context)
    pictures.register(app, context)
    guard(app, token=token, local=local)
    return app


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens at ``address``.

    Raises:
        ConfigError: it cannot, because the port is taken or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=64)
    except OSError as error:
        raise ConfigError(
            f"{address}, port {port}: expected a free port of this machine, found: "
            f"{error.strerror}. Name another --port, or 0 for a free one."
        ) from error


def serve(
    runs: Path,
    *,
    address: str,
    port: int,
    token: str | None,
    picture_folders: Sequence[Path],
) -> None:
    """Serve the page until it is interrupted.

    Raises:
        RunFolderError: there is no folder ``runs``.
        ConfigError: the page cannot be served there.
    """
    from werkzeug.serving import make_server

    context = Context(runs=Runs(runs), picture_folders=picture_folders)
    app = make_app(context, token=token, local=is_loopback(address))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    listening = listen(address, port)
    server = make_server(address, port, app.server, threaded=True, fd=listening.fileno())
    context.start_reading()
    shown = f"[{address}]" if ":" in address else address
    where = f"http://{shown}:{listening.getsockname()[1]}/"
    print(f"the dashboard of {runs}: {where}{'?token=TOKEN' if token else ''}", flush=True)
    print("end it with Ctrl-C", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
        context.close()
