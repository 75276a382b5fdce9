"""What Ray and vLLM need of a machine beside cores and memory: short socket paths, and a token."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

import psutil

from rlcs.errors import EngineError, first_line, sentence
from rlcs.files import free_bytes, readable

SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
"""Bytes that the path of a socket may have."""

RAY_SOCKET = "/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
"""The longest of Ray's sockets below its temporary folder."""

VLLM_SOCKET = "/00000000-0000-0000-0000-000000000000"
"""vLLM's sockets below its temporary folder."""

SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
"""Tried in this order where the usual temporary folder has too long a path."""


def socket_folder(socket: str) -> Path:
    """A temporary folder below which the path of ``socket`` is not too long, the usual one if so.

    Raises:
        EngineError: there is none.
    """
    try:
        usual = tempfile.gettempdir()
    except OSError as error:  # it tries to write, so a full disk has none either
        raise EngineError(
            f"expected a temporary folder that can be written, found none: {first_line(error)}. "
            "Make room, or set TMPDIR to another."
        ) from error
    longest = SOCKET_PATH_BYTES - len(socket)
    for folder in (usual, *SHORT_FOLDERS):
        if len(os.fsencode(folder)) <= longest and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    raise EngineError(
        f"expected a temporary folder with a path of at most {longest} bytes, as the sockets in "
        f"it need, found {usual}, and none of {', '.join(SHORT_FOLDERS)} can be written. Set "
        "TMPDIR to a folder with a short path."
    )


def give_token() -> None:
    """Give the cluster that is about to start its token by the environment, where that is needed.

    Ray would write a new token into the home folder. Where that is missing or cannot be written
    the token lives in this process and those that it starts, and ends with them.
    """
    if os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        return
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        return
    home = os.environ.get("HOME")
    if home is not None:
        kept = Path(home, ".ray")
        folder = kept if kept.exists() else Path(home)
        if (kept / "auth_token").is_file() or (folder.is_dir() and os.access(folder, os.W_OK)):
            return
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def start_problem(error: Exception, folder: Path) -> EngineError:
    """What to say of a Ray that did not start with its files under ``folder``."""
    free = psutil.virtual_memory().available
    return EngineError(
        f"Ray did not start on this machine: {sentence(first_line(error))} Here are a load of "
        f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores, {readable(free)} of free memory, "
        f"and {readable(free_bytes(folder))} free on the disk of {folder}. If that is too little, "
        f"try again when there is more; what Ray's own processes say is in "
        f"{folder}/session_latest/logs."
    )
