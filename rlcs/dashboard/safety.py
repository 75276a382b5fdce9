"""Who may see the page, and what a browser may do with it.

On the loopback address the page answers requests for this machine's own names alone, so that no
page from elsewhere can read it through a name that leads here. Any other address needs a token.
The browser is told to run the scripts of this page alone, and to fetch nothing from elsewhere.
"""

from __future__ import annotations

import hmac
import ipaddress

from dash import Dash
from flask import Response, make_response, redirect, request

from rlcs.errors import ConfigError

COOKIE = "rlcs_token"
LEAST_TOKEN = 16
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def check_address(address: str, token: str | None) -> None:
    """Check that the page may be shown at ``address``.

    Raises:
        ConfigError: it is no address, or others can reach it and there is no token, or a short one.
    """
    if token is not None and (len(token) < LEAST_TOKEN or not token.isascii()):
        raise ConfigError(
            f"--token: expected at least {LEAST_TOKEN} ASCII characters, found {len(token)}. "
            "Make one: --token $(python -c 'import secrets; print(secrets.token_urlsafe())')"
        )
    if is_loopback(address):
        return
    if token is None:
        raise ConfigError(
            f"--address {address}: others could reach the page there and read everything in these "
            "runs. Give --token TOKEN, which a browser must know, or leave --address away and "
            "reach this machine by ssh -L 8050:localhost:8050 HOST."
        )


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches ``address``.

    Raises:
        ConfigError: it is no address.
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise ConfigError(
            f"--address: expected an IP address such as 127.0.0.1 or 0.0.0.0, found {address!r}."
        ) from None


def guard(app: Dash, *, token: str | None, local: bool) -> None:
    """Have every request checked and every answer carry the rules for the browser."""
    policy = (
        "default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )

    @app.server.before_request
    def check() -> Response | None:
        if local and _host(request.host) not in _LOCAL_NAMES:
            return make_response("This page answers to localhost alone.", 403)
        if token is None:
            return None
        given = request.args.get("token")
        if given is not None and _same(given, token):
            answer = make_response(redirect(request.path))
            answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
            return answer
        if _same(request.cookies.get(COOKIE, ""), token):
            return None
        return make_response("This page needs its token: open it as /?token=TOKEN.", 401)

    @app.server.after_request
    def add_rules(answer: Response) -> Response:
        scripts = " ".join(app.csp_hashes())
        answer.headers["Content-Security-Policy"] = policy.format(scripts=scripts)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _host(host: str) -> str:
    """A request's host without its port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
