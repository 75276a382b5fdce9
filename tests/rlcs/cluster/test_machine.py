"""What a machine gives Ray and vLLM: short socket paths, a token, and true words if not."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from rlcs.cluster import machine
from rlcs.cluster.machine import (
    RAY_SOCKET,
    SOCKET_PATH_BYTES,
    VLLM_SOCKET,
    give_token,
    socket_folder,
    start_problem,
)
from rlcs.errors import EngineError


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that what the test sets is taken back
        monkeypatch.delenv(name)


def test_the_usual_temporary_folder_is_taken_where_it_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    assert socket_folder(RAY_SOCKET) == Path("/dev/shm")


@pytest.mark.parametrize(
    ("length", "socket", "own"),
    [
        pytest.param(60, RAY_SOCKET, False, id="too long for Ray"),
        pytest.param(60, VLLM_SOCKET, True, id="and not for vLLM, whose names are shorter"),
        pytest.param(100, VLLM_SOCKET, False, id="too long for both"),
    ],
)
def test_a_long_path_gives_way_to_a_short_one(
    length: int, socket: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as parent:
        folder = Path(parent, "d" * (length - len(parent) - 1))
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        found = socket_folder(socket)
        assert (found == folder) == own
        assert len(f"{found}{socket}") <= SOCKET_PATH_BYTES


def test_bytes_count_not_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as parent:
        folder = Path(parent, "目录" * 4)
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        assert len(f"{folder}{RAY_SOCKET}") <= SOCKET_PATH_BYTES
        assert socket_folder(RAY_SOCKET) != folder


def test_no_short_folder_is_told_with_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    monkeypatch.setattr(machine, "SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(EngineError, match=r"at most 39 bytes.*found /.*deep.*Set TMPDIR"):
        socket_folder(RAY_SOCKET)


def test_no_temporary_folder_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/dev/null/nowhere"])
    with pytest.raises(EngineError, match=r"can be written, found none: .*set TMPDIR"):
        socket_folder(RAY_SOCKET)


@pytest.mark.parametrize(
    ("home", "given"),
    [
        pytest.param(None, True, id="HOME is not set"),
        pytest.param("/dev/null/home", True, id="HOME is missing"),
        pytest.param("/proc/sys", True, id="HOME cannot be written"),
        pytest.param("empty", False, id="Ray writes its own into HOME"),
    ],
)
@pytest.mark.usefixtures("no_token")
def test_a_token_is_given_where_ray_could_not_keep_one(
    home: str | None, given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    if home is not None:
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("HOME", str(tmp_path / home))
    give_token()
    assert (len(os.environ.get("RAY_AUTH_TOKEN", "")) == 64) == given


@pytest.mark.usefixtures("no_token")
def test_a_token_that_is_there_and_a_mode_that_is_set_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("token")
    monkeypatch.setenv("HOME", str(tmp_path))
    give_token()
    assert "RAY_AUTH_TOKEN" not in os.environ
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    give_token()
    assert "RAY_AUTH_TOKEN" not in os.environ


def test_a_start_that_failed_is_told_with_facts(tmp_path: Path) -> None:
    said = str(start_problem(RuntimeError("The node timed out\nmore"), tmp_path))
    assert said.startswith("Ray did not start on this machine: The node timed out. Here are a load")
    assert f"free on the disk of {tmp_path}" in said
    assert f"{tmp_path}/session_latest/logs" in said
