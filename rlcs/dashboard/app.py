"""The application: its frame, views, pictures and guards; and how it is served."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dash import Dash

from rlcs.dashboard import page, pictures
from rlcs.dashboard.context import Context
from rlcs.dashboard.safety import guard, is_loopback
from rlcs.insight import Runs


def make_app(context: Context, *, token: str | None = None, local: bool = True) -> Dash:
    """The application over the runs of ``context``; it is served by its ``server``."""
    app = Dash(
        "rlcs.dashboard",
        title="RLCS",
        update_title=None,
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,
    )
    app.layout = page.layout()
    page.register(app, context)
    pictures.register(app, context)
    guard(app, token=token, local=local)
    return app


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
        OSError: the port is taken.
    """
    from werkzeug.serving import make_server

    context = Context(runs=Runs(runs), picture_folders=picture_folders)
    app = make_app(context, token=token, local=is_loopback(address))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(address, port, app.server, threaded=True)
    context.start_reading()
    shown = f"[{address}]" if ":" in address else address
    where = f"http://{shown}:{server.server_port}/"
    print(f"the dashboard of {runs}: {where}{'?token=TOKEN' if token else ''}", flush=True)
    print("end it with Ctrl-C", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
        context.close()
